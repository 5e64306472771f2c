"""Evolution of a tied policy by CMA-ES, on worlds with perfect tracks.

Hansen, The CMA Evolution Strategy: A Tutorial, 2016 (the library `cmaes`). Every candidate of a generation flies the
same seeds, so that they differ by what they do and not by their luck; each generation has seeds of its own.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from qiki.tasks import Policy
from qiki_harness.sweeps.local import begin_worker, one_thread
from qiki_harness.training.tied import START, tied_policy

FIRST_SEED = 1_000_000
"""Of the training; those below are for evaluation."""
SPREAD = 0.5


@dataclass(frozen=True)
class Generation:
    """A generation: the mean and the best score of its candidates, and the centre of the search behind it."""

    number: int
    mean: float
    best: float
    genes: tuple[float, ...]
    flown: int


def evolve(
    task: str,
    *,
    generations: int,
    candidates: int = 8,
    seeds: int = 4,
    difficulty: float = 1.0,
    seed: int = 0,
    workers: int = 2,
) -> Iterator[Generation]:
    """Search, and yield each generation. The same arguments give the same generations, with any number of workers."""
    from cmaes import CMA  # noqa: PLC0415  # it is an extra

    search = CMA(mean=np.array(START), sigma=SPREAD, seed=seed, population_size=candidates)
    with one_thread(), ProcessPoolExecutor(workers, get_context("spawn"), begin_worker) as pool:
        for number in range(generations):
            asked = [search.ask() for _ in range(candidates)]
            worlds = range(FIRST_SEED + number * seeds, FIRST_SEED + (number + 1) * seeds)
            jobs = [(task, tuple(genes.tolist()), one, difficulty) for genes in asked for one in worlds]
            scores = np.array(list(pool.map(score, jobs, chunksize=2))).reshape(candidates, seeds).mean(axis=1)
            search.tell([(genes, -float(one)) for genes, one in zip(asked, scores, strict=True)])
            centre = tuple(search.mean.tolist())
            yield Generation(number, float(scores.mean()), float(scores.max()), centre, candidates * seeds)


def score(job: tuple[str, Sequence[float], int, float]) -> float:
    """Fly an episode of a tied policy, and return its score."""
    task, genes, seed, difficulty = job
    return flown(tied_policy(task, genes), seed, difficulty)


def flown(policy: Policy, seed: int, difficulty: float) -> float:
    """Fly an episode with perfect tracks, and return the sum of its rewards."""
    from qiki.envs import TwinEnv  # noqa: PLC0415  # in a worker

    env = TwinEnv(policy.task, difficulty=difficulty, perception="truth")
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(policy.act(np.asarray(observation)))
        total, over = total + reward, terminated or truncated
    env.close()
    return total
