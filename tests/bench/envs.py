"""Environments and sweeps: steps and runs a second, in one process and beside each other; `tox -e bench-envs`."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from qiki.envs import TwinEnv
from qiki_harness.envs import StackEnv
from qiki_harness.sweeps.local import LocalCrew
from qiki_harness.sweeps.plan import Sweep, SweepSpec, plan

WARM, STEPS, STACK_STEPS = 50, 300, 200
CONTACTS = 1.0
"""The difficulty with ten contacts."""
ACTION = np.array([0.3, 0.0, 0.0, 0.0, 0.0])
SWEEP_RUNS, SWEEP_S = 200, 10.0
VECTOR = 4


def lines(folder: Path, runs: int) -> Iterator[str]:
    """Lines of the environments, saving, and sweeps."""
    for perception in ("truth", "tracks"):
        rate = median([single(perception) for _ in range(runs)])
        yield f"avoid, 10 contacts, {perception}: {rate:.0f} steps a second in one process"
    yield f"the same over a stack in lockstep: {median([on_stack(folder / f'stack{n}') for n in range(runs)]):.0f}"
    for name, make in VECTORS.items():
        yield f"{VECTOR} of them (truth), {name}: {median([vector(make) for _ in range(runs)]):.0f} steps a second"
    saved_ms, loaded_ms, size = saving(runs)
    yield f"saved in {saved_ms:.1f} ms, {size / 1000:.0f} kB; taken up in {loaded_ms:.1f} ms"
    yield from sweeps(runs)


def single(perception: str) -> float:
    """Return the steps a second of one environment."""
    env = TwinEnv("avoid", difficulty=CONTACTS, perception=perception)
    env.reset(seed=1)
    return paced(lambda: env.step(ACTION), STEPS)


def on_stack(folder: Path) -> float:
    """Return the steps a second over a stack."""
    env = StackEnv("avoid", difficulty=CONTACTS, folder=folder)
    try:
        env.reset(seed=1)
        return paced(lambda: env.step(ACTION), STACK_STEPS)
    finally:
        env.close()


def _make() -> TwinEnv:
    return TwinEnv("avoid", difficulty=CONTACTS, perception="truth")


VECTORS: dict[str, Callable[[], Any]] = {
    "one after the other": lambda: SyncVectorEnv([_make] * VECTOR),
    "in processes": lambda: AsyncVectorEnv([_make] * VECTOR),
}


def vector(make: Callable[[], Any]) -> float:
    """Return the steps a second of a vector environment, of all its parts together."""
    many = make()
    try:
        many.reset(seed=1)
        return VECTOR * paced(lambda: many.step(np.stack([ACTION] * VECTOR)), STEPS // VECTOR)
    finally:
        many.close()


def paced(step: Callable[[], Any], count: int) -> float:
    """Return how often a second something can be done, after some times that do not count."""
    for _ in range(WARM):
        step()
    begun_s = time.perf_counter()
    for _ in range(count):
        step()
    return count / (time.perf_counter() - begun_s)


def saving(runs: int) -> tuple[float, float, int]:
    """Return the times to save an environment and to take it up [ms], and its size [bytes]."""
    env = TwinEnv("avoid", difficulty=CONTACTS)
    env.reset(seed=1)
    for _ in range(WARM):
        env.step(ACTION)
    times = []
    for _ in range(10 * runs):
        begun_s = time.perf_counter()
        saved = env.save()
        saved_s = time.perf_counter()
        env.load(saved)
        times.append((1000 * (saved_s - begun_s), 1000 * (time.perf_counter() - saved_s)))
    saves, loads = zip(*times, strict=True)
    return median(saves), median(loads), len(saved.to_bytes())


def sweeps(runs: int) -> Iterator[str]:
    """Lines: a sweep on one worker, on two, and on Ray."""
    sweep = plan(SweepSpec(task="avoid", seeds=SWEEP_RUNS, parameters={"difficulty": (CONTACTS,)}, seconds=SWEEP_S))
    one, two = [], []
    for _ in range(runs):
        one.append(flown(sweep, LocalCrew(1))[0])
        rate, memory_mb = flown(sweep, LocalCrew(2))
        two.append(rate)
    yield f"a sweep of {SWEEP_RUNS} runs of {SWEEP_S:g} s: {median(one):.2f} runs a second on one worker"
    both = median(two)
    yield f"on two workers: {both:.2f}, efficiency {both / median(one) / 2:.2f}; a worker has {memory_mb:.0f} MB"
    if find_spec("ray") is None:
        yield "on Ray: it is not installed here (tox -e bench-envs)"
        return
    rates = [on_ray(sweep) for _ in range(runs)]
    yield f"on two Ray nodes: {median(rates):.2f}, {median(rates) / both:.2f} of two workers here"


def flown(sweep: Sweep, crew: Any) -> tuple[float, float]:
    """Return runs a second, from the first result on, and the most memory of a worker [MB]."""
    begun_s, count, memory = 0.0, 0, 0.0
    for _ in crew.fly(sweep.runs, sweep.criteria):
        if count == 0:
            begun_s = time.perf_counter()
        count += 1
        if count % 50 == 0:
            memory = max([memory, *(one.memory_full_info().uss for one in psutil.Process().children(recursive=True))])
    return (count - 1) / (time.perf_counter() - begun_s), memory / 1e6


def on_ray(sweep: Sweep) -> float:
    """Return runs a second on a cluster of two nodes of one processor each."""
    import ray  # noqa: PLC0415  # an extra
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    from qiki_harness.sweeps.on_ray import RayCrew  # noqa: PLC0415

    with ExitStack() as ends:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        ends.callback(cluster.shutdown)
        ends.callback(ray.shutdown)
        cluster.add_node(num_cpus=1)
        return flown(sweep, RayCrew(cluster.address, 2))[0]
