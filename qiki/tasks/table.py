"""The table of tasks, and the engine of a policy's file."""

import os
from pathlib import Path

from qiki.agent import BotConfig
from qiki.agent.discovery import POLICY_FILE
from qiki.errors import UserError
from qiki.tasks.avoid import Avoid
from qiki.tasks.fly import Fly
from qiki.tasks.inspect import Inspect
from qiki.tasks.onnx_policy import SUFFIX, OnnxPolicy
from qiki.tasks.policy import Policy, PolicyEngine, PolicyError
from qiki.tasks.rendezvous import Rendezvous
from qiki.tasks.task import Task

TASKS: dict[str, type[Task]] = {task.name: task for task in (Avoid, Rendezvous, Inspect, Fly)}
"""By their names."""


def find_task(name: str) -> Task:
    """Return a task by its name; UserError if there is none."""
    if name not in TASKS:
        raise UserError(f"no task is called {name!r} (expected one of: {', '.join(TASKS)})")
    return TASKS[name]()


def read_policy(path: Path) -> Policy | OnnxPolicy:
    """Return the policy of a file.

    Raises:
        PolicyError: the file holds no policy that fits.
    """
    return OnnxPolicy.read(path) if path.suffix == SUFFIX else Policy.read(path)


def read_engine(path: Path, bot: BotConfig) -> PolicyEngine:
    """Return the engine of a policy's file.

    Raises:
        PolicyError: the file holds no policy that fits.
    """
    policy = read_policy(path)
    if policy.task not in TASKS:
        raise PolicyError(f"{path}: trained for the task {policy.task!r} (expected one of: {', '.join(TASKS)})")
    return PolicyEngine(policy, find_task(policy.task), bot)


def policy_engine(bot: BotConfig) -> PolicyEngine:
    """Return the engine of the file that AGENT_POLICY names: an entry point of the group `qiki.engines`."""
    return read_engine(Path(os.environ[POLICY_FILE]), bot)
