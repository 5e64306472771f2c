"""A twin that an environment steps, frame by frame, and the view that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from qiki.agent import Proposal, World
from qiki.tasks import Facts, Seen
from qiki.world.scenario import Scenario


@dataclass(frozen=True, eq=False)
class View:
    """The state after a frame, while the agent's decision is due.

    Attributes:
        world: as the agent sees it
        facts: the truth at the newest frame; None where the radar measured none
        seen: in the place of the world's tracks; None: these
        t_s: simulated time since the run's begin
    """

    world: World
    facts: Facts | None
    seen: Seen | None
    t_s: float


def has_news(before: World, now: World) -> bool:
    """Return whether something happened between two views: what a step `until="event"` waits for.

    An alert begins or ends, a track comes or is lost, the hull is struck, the dock latches or releases, an input dies
    or lives again.
    """
    return _standing(before) != _standing(now)


def _standing(world: World) -> tuple[object, ...]:
    own = world.own
    alerts = {(one.alert.rule_id, one.alert.track_id) for one in world.alerts}
    tracks = {one.report.track_id for one in world.tracks}
    vehicle = (own.hull.integrity, own.docking.state) if own else ()
    return alerts, tracks, vehicle, {name: one.alive for name, one in world.inputs.items()}


class Twin(Protocol):
    """A vehicle with its agent, in lockstep with the caller."""

    def begin(self, scenario: Scenario, run_id: UUID) -> View:
        """Begin a run, and return the view at its first frame."""

    def step(self, *proposed: Sequence[Proposal]) -> View:
        """Let the agent decide on the proposals of each engine, and return the view at the next frame."""

    def latch(self) -> None:
        """Have the dock latch at the next tick."""

    def digest(self) -> str | None:
        """End the run, and return its digest; None where it is not made."""

    def save(self) -> Any:
        """Return the state of the run."""

    def load(self, saved: Any) -> View:
        """Go on from a state, and return its view."""

    def close(self) -> None:
        """Free all that is held."""
