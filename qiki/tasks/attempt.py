"""An attempt at a task by the agent's engines, flown in this process."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from qiki.agent import Engine
from qiki.botspec import BotConfig
from qiki.flight import Flight, Moment
from qiki.guard.rules import GuardRules
from qiki.tasks.facts import Facts
from qiki.tasks.frames import FrameFlight
from qiki.tasks.task import Mark, Referee, Summary, Task
from qiki.world.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Step:
    """A frame of an attempt: its ticks, the truth (None where the radar measured none), and the referee's mark."""

    moments: tuple[Moment, ...]
    facts: Facts | None
    mark: Mark


class Attempt:
    """A run in which the agent's engines do a task, until the referee ends it.

    Args:
        engines: by name; rules and vehicle are as in `qiki.flight.Flight` too
        digests: make the digest of the run, which takes about as long as the flight itself

    Attributes:
        task: that is attempted
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
        self._frames = FrameFlight.of(scenario, engines, digests=digests, run_id=run_id, bot=bot, rules=rules)
        self._referee = Referee(task, 1.0 / scenario.frame_rate_hz)

    @property
    def flight(self) -> Flight:
        """The run."""
        return self._frames.flight

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
        return self._frames.digest()

    def _step(self, *, begins: bool = False) -> Step:
        frame = self._frames.advance()
        if begins:
            self._referee.begin(frame.facts)
            return Step(frame.moments, frame.facts, Mark(0.0))
        return Step(frame.moments, frame.facts, self._referee.judge(frame.facts))
