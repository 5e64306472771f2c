"""The search for a world in which a criterion fails; it takes optuna, of the extra `train`.

First it looks: worlds of seeds and difficulties by chance, a third of the runs. Then it presses: contacts of the world
that came nearest to a failure are moved by CMA-ES (N. Hansen, The CMA evolution strategy: a tutorial, 2016,
arXiv:1604.00772), which minimises the criterion's margin. Runs are asked for in batches of a fixed size, so the same
hunt finds the same world with any number of workers.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qiki.tasks import Task
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError
from qiki_harness.hunt.flights import UNTOUCHED, Flights, Flown
from qiki_harness.hunt.worlds import AXES, POSITION_M, is_fair, movable, moved

try:
    import optuna
    from cmaes import CMA
except ModuleNotFoundError:
    raise HarnessError("qiki hunt takes optuna, which is not installed: pip install 'qiki-dtmp[train]'") from None

BATCH = 4
SEEDS = 2**31
PRESSED = 3
"""Contacts that are moved where the verdict names none."""
LOOKS = 3
"""One of so many runs looks at worlds of other seeds."""
IDLE = 10
"""Rounds without a better world, after which the search begins again at the best one."""
LEAST, MOST = 0.05, 0.4
"""Of the first steps, as shares of `POSITION_M`: about as far as the criterion is from its failure."""
Told = Callable[[int, Flown], None]


def search(flights: Flights, task: Task, scenario: Scenario | None, runs: int, seed: int, told: Told) -> Flown | None:
    """Return a run in which the criterion fails; None if there is none in so many runs.

    Args:
        scenario: in the place of the worlds that the task draws; its seed is varied
        seed: of the search
        told: takes each better run, with the number of runs until then
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    best: Flown | None = None
    looks = max(BATCH, runs // LOOKS)
    for batch in _looked(flights, task, scenario, looks, seed):
        best = _better(best, batch, flights, told)
        if best.fails:
            return best
    while best is not None and flights.count < runs:
        before = flights.count
        for batch in _pressed(flights, best, runs, seed + before):
            best = _better(best, batch, flights, told)
            if best.fails:
                return best
        if flights.count == before:
            return None
    return None


def _better(best: Flown | None, batch: list[Flown], flights: Flights, told: Told) -> Flown:
    nearest = min(batch, key=lambda one: one.margin)
    failed = next((one for one in batch if one.fails), nearest)
    if best is not None and failed.margin >= best.margin and not failed.fails:
        return best
    told(flights.count, failed)
    return failed


def _looked(flights: Flights, task: Task, scenario: Scenario | None, runs: int, seed: int) -> Iterator[list[Flown]]:
    """Fly worlds by chance; the difficulty is learnt by TPE."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=False))
    while flights.count < runs:
        trials = [study.ask() for _ in range(min(BATCH, runs - flights.count))]
        flown = flights.fly([_drawn(trial, task, scenario) for trial in trials])
        for trial, one in zip(trials, flown, strict=True):
            study.tell(trial, one.margin)
        yield flown


def _drawn(trial: Any, task: Task, scenario: Scenario | None) -> Scenario:
    seed = trial.suggest_int("seed", 0, SEEDS - 1)
    if scenario is not None:
        return scenario.model_copy(update={"seed": seed})
    return task.world(seed, trial.suggest_float("difficulty", 0.0, 1.0))


def _pressed(flights: Flights, best: Flown, runs: int, seed: int) -> Iterator[list[Flown]]:
    """Move contacts of a world, until the runs are used up, or round after round was no better."""
    ids = _chosen(best)
    if not ids:
        return
    size = len(ids) * (AXES + 1)
    sigma = min(MOST, max(LEAST, best.margin / POSITION_M))
    ranges = np.tile([-1.0, 1.0], (size, 1))
    strategy = CMA(np.zeros(size), sigma, bounds=ranges, seed=seed % SEEDS, population_size=BATCH)
    least, idle = best.margin, 0
    while flights.count < runs and idle < IDLE:
        shifts = [strategy.ask() for _ in range(BATCH)]
        worlds = [moved(best.world, ids, one.tolist()) for one in shifts]
        found = flights.fly([world for world in worlds if world is not None])
        margins = iter([one.margin for one in found])
        values = [UNTOUCHED if world is None else next(margins) for world in worlds]
        strategy.tell(list(zip(shifts, values, strict=True)))
        least, idle = min(least, *values), 0 if min(values) < least else idle + 1
        if found:
            yield found


def _chosen(best: Flown) -> list[str]:
    """Return the contacts to move: the one that the verdict names, or the first ones."""
    if not is_fair(best.world):
        return []
    named, ids = best.verdict.contact if best.verdict else "", movable(best.world)
    return [named] if named in ids else ids[:PRESSED]
