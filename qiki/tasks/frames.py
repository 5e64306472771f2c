"""A flight that goes from one decision of its agent to the next, a frame each; the decision is the caller's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from qiki.agent import Engine, World
from qiki.contracts.ticks import TICK_RATE_HZ
from qiki.flight import Flight, FlownFrame, Moment
from qiki.flight.digest import NO_INGEST, RunDigest
from qiki.flight.flight import LOCKSTEP
from qiki.tasks.facts import Facts
from qiki.world.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Frame:
    """The state while the agent's decision is due.

    Attributes:
        moments: the ticks since the last decision
        flown: the newest frame of these; None where the radar measured none
        world: as the agent sees it
        facts: the truth at the frame; None without one
    """

    moments: tuple[Moment, ...]
    flown: FlownFrame | None
    world: World
    facts: Facts | None


class FrameFlight:
    """A flight whose agent decides once a frame.

    Args:
        flight: at its begin, or while the decision is due
        digests: make the digest of the run, which takes about as long as the flight itself
    """

    def __init__(self, flight: Flight, *, digests: bool = False) -> None:
        self.flight = flight
        self._digest = RunDigest(str(flight.inputs.run_id)) if digests else None

    @classmethod
    def of(cls, scenario: Scenario, engines: Mapping[str, Engine], *, digests: bool = False, **options: Any) -> Self:
        """Return a flight at its begin; `options` are those of `Flight`, but for the agent's."""
        ticks = round(TICK_RATE_HZ / scenario.frame_rate_hz)
        agent = replace(LOCKSTEP, lockstep_ticks=ticks)
        return cls(Flight(scenario, engines=engines, agent=agent, agent_ticks=ticks, **options), digests=digests)

    def advance(self) -> Frame:
        """Fly until the agent's decision is due."""
        moments = [self.flight.tick(decide=False)]
        while not self.flight.decides_now:
            moments.append(self.flight.tick(decide=False))
        if self._digest:
            for moment in moments:
                for message in moment.messages(NO_INGEST):
                    self._digest.add(message)
        flown = next((one.frame for one in reversed(moments) if one.frame), None)
        world = self.flight.look()
        return Frame(tuple(moments), flown, world, None if flown is None else Facts.of_flown(flown, world))

    def digest(self) -> str | None:
        """End the run, and return its digest; None where it is not made."""
        link = self._digest.finish() if self._digest else None
        return link.whole if link else None
