"""Data sets for learning, in Minari's format, from the runs of a sweep; they take the extra `datasets`.

A run is flown again in its environment, with the actions of its policy. Runs of other engines have no actions: their
proposals are not the five numbers of a policy.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from qiki.arrays import Array
from qiki.envs import IDS, TwinEnv
from qiki.tasks import ACTIONS
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.again import runs_of
from qiki_harness.sweeps.source import EngineSource, policy_of
from qiki_harness.sweeps.store import PRODUCT, Results, Row
from qiki_harness.sweeps.work import DIFFICULTY, Run, attempt_of

try:
    import gymnasium
    import minari
    from minari.data_collector import EpisodeBuffer
except ModuleNotFoundError as missing:
    raise HarnessError(
        f"--minari takes {missing.name}, which is not installed: pip install 'qiki-dtmp[datasets,train]'"
    ) from None

EXPRESSED = ("policy", "none")
"""Kinds of engines whose proposals are five numbers; `none` gives zeros."""
AT_ONCE = 50
"""Episodes in memory."""


class RunEnv(TwinEnv):
    """The environment of one run: its world, vehicle, rules and time."""

    def __init__(self, run: Run) -> None:
        attempt = attempt_of(run)
        inputs = attempt.flight.inputs
        self._run_world = inputs.scenario
        super().__init__(attempt.task, bot=inputs.bot, rules=inputs.rules)

    def world(self, seed: int) -> Scenario:  # noqa: ARG002  # the run has one world
        """Return the world of the run."""
        return self._run_world


def export(results: Results, name: str) -> Iterator[tuple[int, int]]:
    """Write the runs that policies flew as a data set, and yield how many of how many are written.

    Raises:
        HarnessError: there are none, a run is another one now, or Minari refuses.
    """
    rows = results.rows()
    runs = runs_of(results.spec, [(row.result.key, row.place) for row in rows])
    pairs = [(row, run) for row, run in zip(rows, runs, strict=True) if _is_expressed(row, run.source)]
    if not pairs:
        raise HarnessError(
            f"{results.path}: no run was flown by a policy: other proposals are not {len(ACTIONS)} numbers"
        )
    dataset: Any = None
    for begin in range(0, len(pairs), AT_ONCE):
        buffers = []
        for number, (row, run) in enumerate(pairs[begin : begin + AT_ONCE], begin):
            buffers.append(episode(number, row, run))
            yield number + 1, len(pairs)
        dataset = _written(dataset, name, buffers, [run for _, run in pairs])


def episode(number: int, row: Row, run: Run) -> EpisodeBuffer:
    """Fly a run again, and return its episode.

    Raises:
        HarnessError: it is another one in the environment.
    """
    env = RunEnv(run)
    act = _actor(run.source)
    observation, _ = env.reset(seed=run.seed)
    observations, actions, rewards = [observation], list[Array](), list[float]()
    terminated = truncated = False
    while not (terminated or truncated):
        action = act(np.asarray(observation))
        observation, reward, terminated, truncated, info = env.step(action)
        observations.append(observation)
        actions.append(action.astype(np.float32))
        rewards.append(reward)
    env.close()
    if (len(rewards), info["summary"]["score"]) != (row.result.steps, row.result.score):
        raise HarnessError(f"run {run.key[:12]} is another one in its environment: no data set is written")
    ends = [False] * (len(rewards) - 1)
    return EpisodeBuffer(
        id=number,
        seed=run.seed if run.seed < 2**63 else None,
        observations=observations,
        actions=actions,
        rewards=rewards,
        terminations=[*ends, terminated],
        truncations=[*ends, truncated],
    )


def _is_expressed(row: Row, source: EngineSource) -> bool:
    return source.kind in EXPRESSED and not row.result.error


def _actor(source: EngineSource) -> Any:
    """Return the function from a flat observation to an action."""
    if source.kind == "none":
        return lambda _: np.zeros(len(ACTIONS))
    return policy_of(source).act


def _written(dataset: Any, name: str, buffers: Sequence[EpisodeBuffer], runs: Sequence[Run]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Minari misses for its public catalogue
            if dataset is not None:
                dataset.update_dataset_from_buffer(list(buffers))
                return dataset
            return minari.create_dataset_from_buffers(name, list(buffers), **_about(runs))
    except (ValueError, AssertionError, OSError, ImportError) as error:
        raise HarnessError(f"Minari refuses {name}: {' '.join(str(error).split())[:200]}") from None


def _about(runs: Sequence[Run]) -> dict[str, Any]:
    engines = ", ".join(dict.fromkeys(run.source.label for run in runs))
    env = RunEnv(runs[0])
    return {
        "env": _spec(runs),
        "observation_space": env.observation_space,
        "action_space": env.action_space,
        "algorithm_name": engines,
        "description": f"{len(runs)} runs of the task {runs[0].task}, flown by {engines}",
        "requirements": [f"qiki-dtmp=={PRODUCT}"],
    }


def _spec(runs: Sequence[Run]) -> Any:
    """Return the spec of an environment that makes the runs' worlds; None where no registered one does."""
    ids = [name for name, chosen in IDS.items() if chosen == {"task": runs[0].task, "perception": "tracks"}]
    settings = {run.settings for run in runs}
    if not ids or len(settings) > 1 or any(run.scenario for run in runs):
        return None
    given: dict[str, Any] = dict(*settings)
    if given.keys() - {DIFFICULTY}:
        return None
    return gymnasium.make(ids[0], **given).spec
