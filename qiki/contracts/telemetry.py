"""Telemetry of the bot, and the truth for scoring."""

from typing import Any

from pydantic import Field

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.contracts.fields import Finite, FrameNumber, NonNegative, Payload, Several, Timestamp, Vector


class SimState(Payload):
    """State of the simulation."""

    running: bool
    paused: bool
    speed: Finite
    tick: FrameNumber
    run_id: str
    behind_s: NonNegative


class Attitude(Payload):
    """Counter-clockwise from +X for yaw."""

    roll_rad: Finite
    pitch_rad: Finite
    yaw_rad: Finite


class HullState(Payload):
    """Percent."""

    integrity: Finite


class PowerState(Payload):
    """The power plane."""

    soc_pct: Finite
    power_in_w: Finite
    power_out_w: Finite
    bus_v: Finite
    bus_a: Finite
    sources_w: dict[str, Finite]
    loads_w: dict[str, Finite]
    supercap_soc_pct: Finite
    dock_connected: bool
    nbl_active: bool
    load_shedding: bool
    shed_loads: Several[str]
    faults: Several[str]


class ThermalNode(Payload):
    """One node of the heat network."""

    id: str
    temp_c: Finite
    t_max_c: Finite
    tripped: bool


class ThermalState(Payload):
    """The thermal plane."""

    nodes: Several[ThermalNode]


class PropulsionState(Payload):
    """The propulsion plane."""

    propellant_kg: NonNegative
    rcs_active: bool


class DockingState(Payload):
    """The docking plane."""

    state: str
    port: str | None


class CommsState(Payload):
    """The transponder."""

    xpdr_mode: TransponderMode
    xpdr_allowed: bool


class TelemetrySnapshot(Payload):
    """On `qiki.telemetry`; time stamps are simulated time."""

    schema_version: int = Field(default=1, ge=1, le=1)
    source: str
    timestamp: Timestamp
    ts_unix_ms: int
    sim_state: SimState
    position: Vector
    velocity: Finite
    heading: Finite
    attitude: Attitude
    battery: Finite
    hull: HullState
    power: PowerState
    thermal: ThermalState
    propulsion: PropulsionState
    docking: DockingState
    comms: CommsState
    sensors: dict[str, Any]


class TruthBot(Payload):
    """The bot itself, world axes."""

    position: Vector
    velocity: Vector


class TruthContact(Payload):
    """True state of a contact, world axes."""

    id: str
    object_type: ObjectType
    iff: FriendFoe
    transponder_mode: TransponderMode
    transponder_id: str | None = None
    position: Vector
    velocity: Vector


class TruthSnapshot(Payload):
    """On `qiki.truth.v1.contacts`, at the frame rate: for scoring and tests."""

    run_id: str
    frame: FrameNumber
    timestamp: Timestamp
    bot: TruthBot
    contacts: Several[TruthContact]
