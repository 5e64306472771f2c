"""One run of a sweep: its identity, its flight, and its result. Workers import this and no more."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from qiki.agent.engine_call import describe
from qiki.botspec import BotConfig, generate, load_spec
from qiki.flight import Flight
from qiki.guard import load_rules
from qiki.guard.rules import GuardRules
from qiki.tasks import TASKS, Attempt, Summary, Task, find_task
from qiki.tasks.criteria import Criteria
from qiki.tasks.criteria_judge import CriteriaJudge, Verdict
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.source import EngineSource

DIFFICULTY = "difficulty"
DEFAULT_DIFFICULTY = 0.5
WORKER_DIED = "the worker died twice"
FORMAT = 1


@dataclass(frozen=True)
class Run:
    """A flight of a sweep.

    Attributes:
        world: name of the scenario, or of the task that draws it
        scenario: content of the scenario as JSON; empty: the task draws the world
        settings: names and values of parameters
        seconds: of simulated time at most; None: the task's own
    """

    task: str
    world: str
    scenario: str
    seed: int
    source: EngineSource
    settings: tuple[tuple[str, Any], ...] = ()
    seconds: float | None = None

    @cached_property
    def key(self) -> str:
        """Identity of the run: SHA-256 of all that its flight follows from."""
        content = [FORMAT, self.task, self.scenario, self.seed, self.source.identity, self.settings, self.seconds]
        return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()


@dataclass(kw_only=True)
class Result(Summary):
    """The result of a run: the figures of its attempt, and more; the same wherever it is flown, but for `wall_s`.

    Attributes:
        safe_steps: steps at which the vehicle was in SAFE_MODE
        faults: the first fault of each engine that failed
        error: why there was no flight to the end; empty else
        digest: of the run
    """

    key: str
    safe_steps: int = 0
    frame_s: float = 0.1
    verdicts: tuple[Verdict, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)
    error: str = ""
    digest: str | None = None
    wall_s: float = field(default=0.0, compare=False)

    @property
    def crashed(self) -> bool:
        """True if an engine failed, or there was no flight to the end."""
        return bool(self.faults or self.error)


def fly(run: Run, criteria: Criteria) -> Result:
    """Fly a run, and return its result; what an engine raises is part of it."""
    begun = time.perf_counter()
    try:
        result = _flown(run, criteria)
    except Exception as error:  # whatever a world or an engine leads to is the result of this run alone
        result = Result(key=run.key, outcome="crashed", error=describe(error))
    return replace(result, wall_s=time.perf_counter() - begun)


def attempt_of(run: Run, *, digests: bool = False) -> Attempt:
    """Return the attempt of a run at its begin.

    Raises:
        UserError: world, engine or parameters are none.
    """
    settings = dict(run.settings)
    difficulty = settings.pop(DIFFICULTY, None)
    task = find_task(run.task)
    world = _world(run, task, difficulty)
    bot, rules = _bot(), _rules()
    if settings:
        world, bot, rules = _changed(world, bot, rules, settings)
    if run.seconds is not None:
        task = _shortened(task, round(run.seconds * world.frame_rate_hz))
    return Attempt(task, world, run.source.engines(bot), bot=bot, rules=rules, digests=digests)


def _flown(run: Run, criteria: Criteria) -> Result:
    attempt = attempt_of(run, digests=True)
    flight = attempt.flight
    scenario = flight.inputs.scenario
    contacts = flight.world.contacts
    names = dict(zip(contacts.id_texts, contacts.names, strict=True))
    judge = CriteriaJudge(criteria, 1.0 / scenario.frame_rate_hz, attempt.task.steps, names)
    first: dict[str, str] = {}
    safe_steps = 0
    for step in attempt.steps():
        faults = _faults(flight)
        first = faults | first
        safe = flight.world.vehicle.safe_mode
        safe_steps += safe
        judge.take(step.facts, safe_mode=safe, faults=len(faults))
    summary = attempt.summary
    return Result(
        key=run.key,
        **asdict(summary),
        safe_steps=safe_steps,
        frame_s=1.0 / scenario.frame_rate_hz,
        verdicts=judge.verdicts(summary),
        faults=first,
        digest=attempt.digest(),
    )


def _faults(flight: Flight) -> dict[str, str]:
    """Return the faults of the last decision by engine."""
    state = flight.agent_state()
    engines = state.engines if state else {}
    return {name: one.fault for name, one in engines.items() if one.fault is not None}


def _world(run: Run, task: Task, difficulty: float | None) -> Scenario:
    if not run.scenario:
        return task.world(run.seed, DEFAULT_DIFFICULTY if difficulty is None else difficulty)
    if difficulty is not None:
        raise HarnessError(f"{DIFFICULTY} is of the worlds that a task draws, and {run.world} is a scenario")
    return Scenario.model_validate_json(run.scenario).model_copy(update={"seed": run.seed})


def _changed(
    world: Scenario, bot: BotConfig, rules: GuardRules, settings: dict[str, Any]
) -> tuple[Scenario, BotConfig, GuardRules]:
    """Return the inputs with other values at dotted names, as `qiki why --set` has them."""
    from qiki.flight.flight import LOCKSTEP  # noqa: PLC0415
    from qiki_harness.recording.why.inputs import AgentNumbers, InputTree  # noqa: PLC0415

    planes = bot.hardware_profile.parameters
    tree = InputTree(scenario=world, vehicle=planes, rules=rules.rules, agent=AgentNumbers.of(LOCKSTEP))
    for name, value in settings.items():
        if name.partition(".")[0] == "agent" or name in {"seed", "scenario.seed"}:
            raise HarnessError(f"--set {name}: a sweep does not change it")
        tree, _ = tree.given(name, value)
    return tree.scenario, bot.with_parameters(tree.vehicle), GuardRules(rules=tree.rules)


def _shortened(task: Task, steps: int) -> Task:
    """Return the same task with another time limit."""
    kind = TASKS[task.name]
    short: type[Task] = type(kind.__name__, (kind,), {"steps": max(1, steps)})
    return short()


@cache
def _bot() -> BotConfig:
    return generate(load_spec())


@cache
def _rules() -> GuardRules:
    return load_rules()
