"""The parameters of each plane; the defaults are those of the bot QIKI.

The bounds are far beyond any vehicle. They keep all results finite.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from qiki.contracts.enums import TransponderMode
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.fields import Number, Spec, distinct, field_error, member

LEAST, GREATEST = 1e-6, 1e9
ABSOLUTE_ZERO_C = -273.15

Positive = Annotated[Number, Field(ge=LEAST, le=GREATEST)]
NonNegative = Annotated[Number, Field(ge=0, le=GREATEST)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Share = Annotated[Number, Field(ge=0, le=1)]
Celsius = Annotated[Number, Field(ge=ABSOLUTE_ZERO_C, le=1e6)]


ModeName = Annotated[
    TransponderMode,
    BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT", "SPOOF"))),
    PlainSerializer(lambda mode: mode.name, return_type=str, when_used="json"),
]


class CommsParameters(Spec):
    """Initial mode of the transponder."""

    xpdr_mode: ModeName = TransponderMode.ON


class Port(StrEnum):
    """Docking ports."""

    A = "A"
    B = "B"


class DockingParameters(Spec):
    """Port at which the vehicle is docked at the start."""

    docked_at: Port | None = None


class DriveParameters(Spec):
    """Limits of the drive."""

    max_speed_mps: Positive = 1.0
    acceleration_mps2: Positive = 0.5
    turn_rate_dps: Positive = 30.0


class HullParameters(Spec):
    """Size and strength of the hull."""

    radius_m: Positive = 1.0  # contacts that pass nearer than this strike the hull
    damage_pct_per_kj: NonNegative = 1.0


class McqpuParameters(Spec):
    """Load of the computer in percent of its capacity, and its power at full load."""

    full_load_w: NonNegative = 35.0
    idle_pct: Percent = 8.0
    motion_pct_per_mps: NonNegative = 28.0
    radar_pct: Percent = 18.0
    transponder_pct: Percent = 3.0
    time_constant_s: Positive = 2.0


class StorageParameters(Spec):
    """Capacity and limits of a store of energy."""

    capacity_wh: Positive
    start_pct: Percent
    charge_limit_w: NonNegative
    discharge_limit_w: NonNegative


class DockSupplyParameters(Spec):
    """The dock's side of the bridge."""

    voltage_v: Positive = 28.0
    power_limit_w: NonNegative = 250.0
    current_limit_a: NonNegative = 10.0
    soft_start_s: Positive = 2.0


class PowerParameters(Spec):
    """Bus, sources, stores and loads."""

    bus_empty_v: Positive = 22.0
    bus_span_v: NonNegative = 6.0
    max_bus_a: Positive = 8.0
    pdu_overheat_derating: Share = 0.5
    base_source_w: NonNegative = 120.0
    """Solar array: enough for cruising with the radar on, so that an idle vehicle does not discharge."""
    base_load_w: NonNegative = 60.0
    radar_load_w: NonNegative = 18.0
    transponder_load_w: NonNegative = 6.0
    nbl_max_w: NonNegative = 20.0  # power of the NBL while it is on, until another limit is set
    nbl_min_soc_pct: Percent = 35.0
    motion_load_w_per_mps: NonNegative = 40.0
    rcs_load_w: NonNegative = 80.0  # one thruster at full thrust
    soc_shed_low_pct: Percent = 20.0
    soc_shed_high_pct: Percent = 30.0
    restore_margin_w: NonNegative = 10.0
    battery: StorageParameters = StorageParameters(
        capacity_wh=500.0, start_pct=80.0, charge_limit_w=120.0, discharge_limit_w=140.0
    )
    supercap: StorageParameters = StorageParameters(
        capacity_wh=5.0, start_pct=70.0, charge_limit_w=120.0, discharge_limit_w=200.0
    )
    dock: DockSupplyParameters = DockSupplyParameters()

    @model_validator(mode="after")
    def _thresholds_ascend(self) -> Self:
        if self.soc_shed_high_pct < self.soc_shed_low_pct:
            reason = f"{self.soc_shed_high_pct:g} % is below soc_shed_low_pct, {self.soc_shed_low_pct:g} %"
            raise field_error(("soc_shed_high_pct",), reason)
        return self


class PropulsionParameters(Spec):
    """Identical cold-gas thrusters, one for each direction of the body."""

    dry_mass_kg: Positive = 50.0
    propellant_kg: NonNegative = 12.0
    specific_impulse_s: Positive = 60.0
    thrust_n: Positive = 20.0  # one thruster at 100 %


class SensorKind(IntEnum):
    """The sensors that a vehicle may carry, with their numbers on the wire (SensorType)."""

    LIDAR = 1
    IMU = 2
    GPS = 4
    THERMAL = 5
    RADAR = 6


SensorName = Annotated[
    SensorKind,
    BeforeValidator(member(SensorKind, tuple(SensorKind.__members__))),
    PlainSerializer(lambda kind: kind.name, return_type=str, when_used="json"),
]
_SENSOR_SPACE = UUID("0f5c1a5e-6b1e-5b0c-9d1f-3f0a3a1c7e21")


def sensor_id(kind: SensorKind) -> UUID:
    """Return the constant id of a sensor."""
    return RADAR_SENSOR_ID if kind is SensorKind.RADAR else uuid5(_SENSOR_SPACE, kind.name)


class SensorParameters(Spec):
    """Fitted sensors, their errors and failures."""

    fitted: Annotated[tuple[SensorName, ...], Field(min_length=1), AfterValidator(distinct)] = tuple(SensorKind)
    """In the order of their turns."""
    lidar_range_m: Positive = 200.0
    lidar_sigma_m: NonNegative = 0.03
    imu_sigma_deg: NonNegative = 0.02
    gps_sigma_m: NonNegative = 0.5
    thermal_sigma_k: NonNegative = 0.1
    mean_time_between_failures_s: dict[SensorName, Positive] = Field(default_factory=dict)  # other sensors do not fail
    repair_s: Positive = 30.0  # time after which a failed sensor works again

    @model_validator(mode="after")
    def _only_what_is_fitted_fails(self) -> Self:
        for kind in self.mean_time_between_failures_s:
            if kind not in self.fitted:
                raise field_error(("mean_time_between_failures_s", kind.name), "is not fitted (expected one of fitted)")
        return self


Conductance = Annotated[Number, Field(ge=0, le=1e4)]
Kelvins = Annotated[Number, Field(gt=0, le=1e6)]


class Node(StrEnum):
    """The nodes of the network."""

    CORE = "core"
    PDU = "pdu"
    SUPERCAP = "supercap"
    BATTERY = "battery"
    DOCK_BRIDGE = "dock_bridge"
    HULL = "hull"


class NodeParameters(Spec):
    """Parameters of one node."""

    capacity_j_per_k: Annotated[Number, Field(ge=1e-3, le=1e9)]
    cooling_w_per_k: Conductance
    start_c: Celsius
    trip_c: Celsius
    hysteresis_k: Kelvins


class Coupling(Spec):
    """Heat conducted between two nodes."""

    nodes: tuple[Node, Node]
    conductance_w_per_k: Conductance

    @model_validator(mode="after")
    def _joins_two(self) -> Self:
        if self.nodes[0] is self.nodes[1]:
            raise field_error(("nodes",), f"{self.nodes[0]} is coupled with itself (expected two nodes)")
        return self


def _nodes() -> dict[Node, NodeParameters]:
    rows = {
        Node.CORE: (800.0, 1.2, 25.0, 90.0, 5.0),
        Node.PDU: (650.0, 0.9, 25.0, 95.0, 5.0),
        Node.SUPERCAP: (400.0, 0.7, 20.0, 85.0, 5.0),
        Node.BATTERY: (1200.0, 0.3, 20.0, 70.0, 3.0),
        Node.DOCK_BRIDGE: (500.0, 0.9, -60.0, 120.0, 5.0),
        Node.HULL: (3000.0, 1.5, -50.0, 140.0, 10.0),
    }
    names = tuple(NodeParameters.model_fields)
    return {node: NodeParameters(**dict(zip(names, row, strict=True))) for node, row in rows.items()}


def _all_nodes(nodes: dict[Node, NodeParameters]) -> dict[Node, NodeParameters]:
    """Return all nodes in one order: results must not depend on the order in the file."""
    for node in Node:
        if node not in nodes:
            raise field_error((), f"{node} is missing (expected {', '.join(Node)})")
    return {node: nodes[node] for node in Node}


class ThermalParameters(Spec):
    """The network, and the shares of electric power that heat its nodes."""

    ambient_c: Celsius = -60.0
    leak_w_per_k: Annotated[Number, Field(ge=1e-6, le=1e4)] = 0.2
    """Loss of every node to space in addition to its own cooling; without it there might be no steady state."""
    nodes: Annotated[dict[Node, NodeParameters], AfterValidator(_all_nodes)] = Field(default_factory=_nodes)
    couplings: tuple[Coupling, ...] = (
        Coupling(nodes=(Node.CORE, Node.PDU), conductance_w_per_k=0.4),
        Coupling(nodes=(Node.PDU, Node.SUPERCAP), conductance_w_per_k=0.3),
        Coupling(nodes=(Node.PDU, Node.BATTERY), conductance_w_per_k=0.15),
        Coupling(nodes=(Node.DOCK_BRIDGE, Node.HULL), conductance_w_per_k=0.4),
        Coupling(nodes=(Node.CORE, Node.HULL), conductance_w_per_k=0.2),
    )
    mcqpu_share: Share = 0.8
    nbl_share: Share = 0.7
    pdu_share: Share = 0.02
    pdu_resistance_ohm: NonNegative = 0.4
    supercap_share: Share = 0.03
    battery_share: Share = 0.01
    dock_resistance_ohm: NonNegative = 0.25
    rcs_share: Share = 0.35


class BotParameters(Spec):
    """Parameters of all planes."""

    power: PowerParameters = PowerParameters()
    mcqpu: McqpuParameters = McqpuParameters()
    thermal: ThermalParameters = ThermalParameters()
    propulsion: PropulsionParameters = PropulsionParameters()
    drive: DriveParameters = DriveParameters()
    docking: DockingParameters = DockingParameters()
    comms: CommsParameters = CommsParameters()
    sensors: SensorParameters = SensorParameters()
    hull: HullParameters = HullParameters()
