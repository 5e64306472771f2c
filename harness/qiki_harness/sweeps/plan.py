"""The plan of a sweep: its specification, and the runs that it is made of."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from qiki.fields import Number, Spec, Whole, distinct
from qiki.tasks.criteria import DEFAULT_CRITERIA, Criteria, load_criteria
from qiki.world.scenario import load_scenario
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.source import EngineSource, policy_of, read_source
from qiki_harness.sweeps.work import Run, attempt_of

FLY = "fly"
MOST = 1_000_000


def read_seeds(given: object) -> object:
    """Read seeds: a number of them, `5-20`, `1,2,7`, or a list."""
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= MOST:
        return tuple(range(given))
    if not isinstance(given, str):
        return given
    try:
        if given.strip().isdecimal():
            return read_seeds(int(given))
        parts = [part.partition("-") for part in given.split(",")]
        ends = [(int(low), int(high) if dash else int(low)) for low, dash, high in parts]
    except ValueError:
        raise ValueError("expected a number of seeds, a range as 5-20, or a list as 1,2,7") from None
    if sum(high - low + 1 for low, high in ends) > MOST or any(high < low for low, high in ends):
        raise ValueError(f"a range is empty, or there are more than {MOST} seeds")
    return tuple(seed for low, high in ends for seed in range(low, high + 1))


Seeds = Annotated[tuple[Annotated[Whole, Field(ge=0, lt=2**63)], ...], BeforeValidator(read_seeds), Field(min_length=1)]
Texts = tuple[Annotated[str, Field(min_length=1)], ...]


class SweepSpec(Spec):
    """A sweep, as its file has it.

    Attributes:
        task: by its name; with scenarios `fly` by default
        scenarios: names or files, in the place of the worlds that the task draws from the seeds
        engines: `none`, an installed one, FILE.py:CLASS, or a policy's FILE.npz or FILE.onnx
        parameters: values by the dotted names of `qiki why --set`, and `difficulty`; each with each is flown
        seconds: of simulated time at most; by default the task's own
        criteria: a file; by default the platform's own
    """

    task: str = ""
    scenarios: Texts = ()
    seeds: Seeds
    engines: Annotated[Texts, Field(min_length=1)] = ("none",)
    parameters: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(default_factory=dict)
    seconds: Annotated[Number, Field(ge=0.1, le=86_400)] | None = None
    criteria: str | None = None


@dataclass(frozen=True)
class Sweep:
    """A sweep's runs in their order, and the criteria by which they are judged."""

    spec: SweepSpec
    runs: tuple[Run, ...]
    criteria: Criteria

    @cached_property
    def hash(self) -> str:
        """Identity of the sweep: the same for the same runs and criteria."""
        content = [[run.key for run in self.runs], self.criteria.model_dump(mode="json")]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def plan(spec: SweepSpec) -> Sweep:
    """Return the sweep of a specification; every world, engine and parameter was tried.

    Raises:
        UserError: one of them is none; in one line.
    """
    sources = _distinct_sources([read_source(label) for label in spec.engines])
    _refuse_repeated(spec)
    task = spec.task or (FLY if spec.scenarios else "")
    if not task:
        raise HarnessError("a sweep takes a task or scenarios")
    total = len(spec.seeds) * max(1, len(spec.scenarios)) * len(sources)
    for values in spec.parameters.values():
        total *= len(values)
    if total > MOST:
        raise HarnessError(f"the sweep has {total} runs (expected at most {MOST})")
    _refuse_foreign_policies(task, sources)
    runs = tuple(_runs(spec, task, sources))
    _try(runs)
    return Sweep(spec, runs, load_criteria(Path(spec.criteria) if spec.criteria else DEFAULT_CRITERIA))


def _runs(spec: SweepSpec, task: str, sources: list[EngineSource]) -> Iterator[Run]:
    worlds = [_world(name) for name in spec.scenarios] or [(task, "")]
    chosen = [[(name, value) for value in values] for name, values in spec.parameters.items()]
    for (world, scenario), settings, source, seed in itertools.product(
        worlds, list(itertools.product(*chosen)), sources, spec.seeds
    ):
        yield Run(task, world, scenario, seed, source, settings, spec.seconds)


def _world(name: str) -> tuple[str, str]:
    """Return label and content of a scenario."""
    return name, load_scenario(name).model_dump_json()


def _distinct_sources(sources: list[EngineSource]) -> list[EngineSource]:
    for number, source in enumerate(sources):
        twin = next((one for one in sources[:number] if one.identity == source.identity), None)
        if twin is not None:
            raise HarnessError(f"engine {source.label} is given twice, first as {twin.label}")
    return sources


def _refuse_foreign_policies(task: str, sources: list[EngineSource]) -> None:
    for source in sources:
        if source.kind == "policy" and task != FLY and (trained := policy_of(source).task) != task:
            raise HarnessError(f"{source.label}: trained for the task {trained!r} (this sweep flies {task!r})")


def _refuse_repeated(spec: SweepSpec) -> None:
    lists = {"scenarios": spec.scenarios, "seeds": spec.seeds}
    lists |= {f"parameters.{name}": tuple(map(repr, values)) for name, values in spec.parameters.items()}
    for name, values in lists.items():
        if len(set(values)) < len(values):
            distinct(values)
            raise HarnessError(f"{name}: a value is given twice")


def _try(runs: tuple[Run, ...]) -> None:
    """Begin one run of each world, engine and setting; UserError for the first one that cannot be."""
    tried = set[str]()
    for run in runs:
        for group in ((run.world, run.settings), (run.source.identity, run.task)):
            if (name := repr(group)) not in tried:
                tried.add(name)
                attempt_of(run)
