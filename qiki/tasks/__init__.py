"""Tasks for an agent: worlds drawn from a seed, the numbers that it sees and answers with, the score, and policies."""

from qiki.tasks.actions import ACTIONS, ActionError, read_action
from qiki.tasks.attempt import Attempt, Step
from qiki.tasks.avoid import Avoid
from qiki.tasks.facts import Facts
from qiki.tasks.fly import Fly
from qiki.tasks.inspect import Inspect
from qiki.tasks.observation import SHAPES, SIZE, SLOTS, Encoder, Observation
from qiki.tasks.policy import Policy, PolicyEngine, PolicyError
from qiki.tasks.rendezvous import Rendezvous
from qiki.tasks.seen import Seen
from qiki.tasks.table import TASKS, find_task, read_engine
from qiki.tasks.task import Mark, Referee, Summary, Task

__all__ = ["ACTIONS", "SHAPES", "SIZE", "SLOTS", "TASKS"]
__all__ += ["ActionError", "Attempt", "Avoid", "Encoder", "Facts", "Fly", "Inspect", "Mark", "Observation", "Policy"]
__all__ += ["PolicyEngine", "PolicyError", "Referee", "Rendezvous", "Seen", "Step", "Summary", "Task"]
__all__ += ["find_task", "read_action", "read_engine"]
