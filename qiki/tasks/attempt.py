"""An attempt at a task by the agent's engines, flown in this process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from qiki.agent import Engine
from qiki.botspec import BotConfig
from qiki.contracts.ticks import TICK_RATE_HZ
from qiki.flight import Flight, Moment
from qiki.flight.digest import RunDigest
from qiki.flight.flight import LOCKSTEP
from qiki.guard.rules import GuardRules
from qiki.tasks.facts import Facts
from qiki.tasks.task import Mark, Referee, Summary, Task
from qiki.world.scenario import Scenario

INGEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Counts for nothing: a digest leaves it out."""


@dataclass(frozen=True, eq=False)
class Step:
    """A frame of an attempt: its ticks, the truth (None where the radar measured none), and the referee's mark."""

    moments: tuple[Moment, ...]
    facts: Facts | None
    mark: Mark


class Attempt:
    """A run in which the agent's engines do a task, until the referee ends it.

    Args:
        digests: make the digest of the run, which takes about as long as the flight itself

    Attributes:
        task: that is attempted
        flight: the run; engines, rules and vehicle are as in `qiki.flight.Flight`
    """

    def __init__(
        self,
        task: Task,
        scenario: Scenario,
        engines: Mapping[str, Engine],
        *,
        run_id: UUID | None = None,
        bot: BotConfig | None = None,
        rules: GuardRules | None = None,
        digests: bool = False,
    ) -> None:
        self.task = task
        self._ticks = round(TICK_RATE_HZ / scenario.frame_rate_hz)
        self.flight = Flight(
            scenario,
            run_id=run_id,
            bot=bot,
            rules=rules,
            engines=engines,
            agent=replace(LOCKSTEP, lockstep_ticks=self._ticks),
            agent_ticks=self._ticks,
        )
        self._referee = Referee(task, 1.0 / scenario.frame_rate_hz)
        self._digest = RunDigest(str(self.flight.inputs.run_id)) if digests else None

    @property
    def summary(self) -> Summary:
        """Figures up to now."""
        return self._referee.summary

    def steps(self) -> Iterator[Step]:
        """Fly, and yield the frames, the first of which has no mark yet."""
        yield self._step(begins=True)
        while not self.summary.outcome:
            self.flight.decide()
            yield self._step()

    def fly(self) -> Summary:
        """Fly to the end, and return the figures."""
        for _ in self.steps():
            pass
        return self.summary

    def digest(self) -> str | None:
        """End the run, and return its digest; None where it is not made."""
        link = self._digest.finish() if self._digest else None
        return link.whole if link else None

    def _step(self, *, begins: bool = False) -> Step:
        moments = tuple(self.flight.tick(decide=False) for _ in range(self._ticks))
        if self._digest:
            for moment in moments:
                for message in moment.messages(INGEST):
                    self._digest.add(message)
        flown = next((one.frame for one in reversed(moments) if one.frame), None)
        facts = None if flown is None else Facts.of_flown(flown, self.flight.look())
        if begins:
            self._referee.begin(facts)
            return Step(moments, facts, Mark(0.0))
        return Step(moments, facts, self._referee.judge(facts))
