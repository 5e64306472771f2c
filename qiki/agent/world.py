"""The world model: what the agent knows at one tick. Engines and rules see it; nobody changes it.

Positions and velocities of tracks are relative to the bot, in world axes (+X east, +Y north, +Z up) [m, m/s].
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qiki.contracts.events.agent import BiosStatus, Evidence
from qiki.contracts.models import GuardAlert, RadarTrack, TelemetrySnapshot

TRACKS = "tracks"
TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the agent.

    Attributes:
        sequence: where the newest message stands in its stream; None for what is not kept
        age_s: since it came, on the agent's clock, and what tracks lagged behind the simulation; None before the first
        alive: whether it may be acted on: something came, and within the time that its nominal rate allows
    """

    subject: str
    sequence: int | None = None
    age_s: float | None = None
    alive: bool = False


@dataclass(frozen=True, slots=True)
class SeenTrack:
    """A track of the newest frame, and the message that told of it."""

    report: RadarTrack
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """A guard alert whose condition still holds, and the message that told of it."""

    alert: GuardAlert
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class World:
    """What is known at one tick.

    Attributes:
        tick: of the agent, from 1
        run_id: the simulator's current run; empty before it is known
        t_s: simulated time of the newest input, Unix seconds
        frame: number of the newest tracked frame of the run
        own: the bot's own state
        tracks: of that frame, lost ones left out
        alerts: of any radar, oldest first
        inputs: by name, `TRACKS` and `TELEMETRY`
    """

    tick: int
    run_id: str = ""
    t_s: float = 0.0
    frame: int | None = None
    own: TelemetrySnapshot | None = None
    tracks: tuple[SeenTrack, ...] = ()
    alerts: tuple[ActiveAlert, ...] = ()
    bios: BiosStatus | None = None
    inputs: Mapping[str, Input] = field(default_factory=dict)

    def evidence(self, name: str) -> Evidence:
        """The newest message of an input, as evidence."""
        one = self.inputs[name]
        return Evidence(subject=one.subject, sequence=one.sequence, age_s=one.age_s or 0.0)
