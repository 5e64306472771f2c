"""The world model: the agent's knowledge at one tick, an immutable value.

Positions and velocities of tracks are relative to the bot, in world axes (+X east, +Y north, +Z up) [m, m/s].
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qiki.contracts.estimates import TrackEstimate
from qiki.contracts.events import BiosStatus, Evidence
from qiki.contracts.radar import GuardAlert, RadarTrack
from qiki.contracts.telemetry import TelemetrySnapshot

TRACKS = "tracks"
TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the agent.

    Attributes:
        sequence: of the newest message in its stream; None for an input that is not stored
        age_s: since it came, on the agent's clock, plus the lag of tracks behind the simulation; None before the first
        alive: whether it may be acted on: it has come, and is not stale by its nominal rate
    """

    subject: str
    sequence: int | None = None
    age_s: float | None = None
    alive: bool = False


@dataclass(frozen=True, slots=True)
class SeenEstimate:
    """The whole state of a track, with its message as evidence."""

    report: TrackEstimate
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SeenTrack:
    """A track of the newest frame, with its message as evidence.

    `estimate` is of the same frame; None where none came: the bridge publishes none (BRIDGE_ESTIMATES), or the next
    frame came first. `qiki.agent.prediction` predicts from it.
    """

    report: RadarTrack
    evidence: Evidence
    estimate: SeenEstimate | None = None


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """A guard alert that still holds, with its message as evidence."""

    alert: GuardAlert
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class World:
    """The knowledge at one tick.

    Attributes:
        tick: of the agent, from 1
        run_id: the simulator's current run; empty before it is known
        t_s: simulated time of the newest input, Unix seconds
        frame: number of the newest tracked frame of the run
        own: the bot's own state
        tracks: of that frame, without lost ones
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
        """Return the newest message of an input as evidence."""
        one = self.inputs[name]
        return Evidence(subject=one.subject, sequence=one.sequence, age_s=one.age_s or 0.0)

    def newest(self, *names: str) -> tuple[Evidence, ...]:
        """Return the newest messages of these inputs as evidence, without inputs that never came."""
        return tuple(self.evidence(name) for name in names if self.inputs[name].age_s is not None)
