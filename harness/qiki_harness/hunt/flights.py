"""The flights of a hunt: worlds are flown in batches, and judged by one criterion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from qiki.tasks.criteria import Criteria, Criterion
from qiki.tasks.criteria_judge import Verdict
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.flying import Crew
from qiki_harness.sweeps.work import Result, Run

UNTOUCHED = 1e6
"""The margin of a run that measured nothing."""


@dataclass(frozen=True)
class Flown:
    """A world that was flown; `verdict` is None where there was no flight to the end."""

    run: Run
    world: Scenario
    result: Result
    verdict: Verdict | None

    @property
    def margin(self) -> float:
        """From the limit to the worst value; negative: the criterion failed."""
        return UNTOUCHED if self.verdict is None or self.verdict.margin is None else self.verdict.margin

    @property
    def fails(self) -> bool:
        """True if the criterion failed."""
        return self.verdict is not None and not self.verdict.holds


@dataclass
class Flights:
    """Flies worlds like one run, and counts them.

    Attributes:
        like: task, engine and time of all runs
        batch: flights at a time
        count: flights until now
    """

    crew: Crew
    like: Run
    criterion: Criterion
    batch: int
    count: int = 0
    _known: dict[str, Flown] = field(default_factory=dict)

    def fly(self, worlds: Iterable[Scenario]) -> list[Flown]:
        """Fly worlds, and return them in their order; one that was flown before is not flown again."""
        chosen = [(world, self._run(world)) for world in worlds]
        fresh = {run.key: (world, run) for world, run in chosen if run.key not in self._known}
        criteria = Criteria(criteria=(self.criterion,))
        for result in self.crew.fly([run for _, run in fresh.values()], criteria, lambda: False):
            world, run = fresh[result.key]
            verdict = next(iter(result.verdicts), None)
            self._known[run.key] = Flown(run, world, result, verdict)
            self.count += 1
        return [self._known[run.key] for _, run in chosen]

    def first_failing(self, worlds: Sequence[Scenario], left: int) -> Flown | None:
        """Return the first of some worlds in which the criterion fails; None if there is none in so many flights."""
        for begin in range(0, min(len(worlds), left), self.batch):
            found = next((one for one in self.fly(worlds[begin : begin + self.batch]) if one.fails), None)
            if found is not None:
                return found
        return None

    def _run(self, world: Scenario) -> Run:
        return replace(self.like, world=world.name, scenario=world.model_dump_json(), seed=world.seed)


def find_criterion(criteria: Criteria, name: str) -> Criterion:
    """Return a criterion by its id; HarnessError if there is none."""
    for one in criteria.criteria:
        if one.id == name:
            return one
    known = ", ".join(one.id for one in criteria.criteria)
    raise HarnessError(f"no criterion is called {name!r} (expected one of: {known})")
