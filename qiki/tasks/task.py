"""A task: its worlds, its goal, and the referee of an attempt."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from qiki.arrays import Array
from qiki.tasks.facts import Facts
from qiki.tasks.observation import Own
from qiki.tasks.seen import Seen
from qiki.world.scenario import Scenario

OUT_OF_TIME = "out of time"
HIT_M = 10.0
"""A contact that comes nearer has hit: it is not a point."""


@dataclass(frozen=True)
class Mark:
    """The referee's mark for a step.

    Attributes:
        reward: sum of the parts
        outcome: of the attempt, in words; empty while it goes on
        success: the outcome is the task's aim
        parts: of the reward, by what they are for
    """

    reward: float
    outcome: str = ""
    success: bool = False
    parts: dict[str, float] = field(default_factory=dict)


@dataclass
class Summary:
    """Figures of an attempt up to now.

    Attributes:
        outcome: empty while it goes on
        score: sum of the rewards
        closest_m: least distance of a contact; None while there was none
        closest_s: time of that distance, since the first frame
        propellant_kg: used
        alarmed_steps: steps at which an alert of the guard held
        held_steps: steps at which the aim was held, as the task counts them
    """

    outcome: str = ""
    success: bool = False
    steps: int = 0
    score: float = 0.0
    closest_m: float | None = None
    closest_s: float = 0.0
    propellant_kg: float = 0.0
    alarmed_steps: int = 0
    held_steps: int = 0


class Task(ABC):
    """A task for the agent.

    Attributes:
        name: of the task
        steps: frames until the time is out
    """

    name: ClassVar[str]
    steps: ClassVar[int] = 600

    @abstractmethod
    def world(self, seed: int, difficulty: float) -> Scenario:
        """Draw a world from a seed; a difficulty from 0 to 1."""

    @abstractmethod
    def goal(self, own: Own, seen: Seen) -> tuple[Array, Array] | None:
        """Return position and velocity of the goal relative to the vehicle, (3,) each, or None while it is unknown."""

    @abstractmethod
    def judge(self, facts: Facts, before: Facts | None, summary: Summary) -> Mark:
        """Return the mark of a frame; `summary` is that before it, whose `held_steps` the task counts."""


class Referee:
    """Judges an attempt at a task, frame by frame, by the truth."""

    def __init__(self, task: Task, frame_s: float) -> None:
        self._task, self._frame_s = task, frame_s
        self._before: Facts | None = None
        self._fuel_kg: float | None = None
        self.summary = Summary()

    def begin(self, facts: Facts | None) -> None:
        """Take the first frame, which is no step yet."""
        if facts is not None:
            self._count(facts)

    def judge(self, facts: Facts | None) -> Mark:
        """Return the mark of a step; without facts (the radar is off) only time passes."""
        summary = self.summary
        mark = Mark(0.0) if facts is None else self._task.judge(facts, self._before, summary)
        if facts is not None:
            self._count(facts)
        summary.steps += 1
        if not mark.outcome and summary.steps >= self._task.steps:
            mark = Mark(mark.reward, OUT_OF_TIME, success=False, parts=mark.parts)
        summary.score += mark.reward
        summary.outcome, summary.success = mark.outcome, mark.success
        return mark

    def save(self) -> Any:
        """Return what is kept from step to step, of values that JSON has."""
        facts = vars(self._before) if self._before else {}
        before = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in facts.items()}
        return {"before": before, "fuel_kg": self._fuel_kg, "summary": asdict(self.summary)}

    def load(self, saved: Any) -> None:
        """Take up what `save` returned."""
        before = saved["before"]
        self._before = facts_of(before) if before else None
        self._fuel_kg = saved["fuel_kg"]
        self.summary = Summary(**saved["summary"])

    def _count(self, facts: Facts) -> None:
        summary = self.summary
        closest_m = float(facts.closest_m(self._before).min(initial=np.inf))
        if closest_m < (np.inf if summary.closest_m is None else summary.closest_m):
            summary.closest_m, summary.closest_s = closest_m, summary.steps * self._frame_s
        self._fuel_kg = facts.propellant_kg if self._fuel_kg is None else self._fuel_kg
        summary.propellant_kg = self._fuel_kg - facts.propellant_kg
        summary.alarmed_steps += facts.alerts > 0
        self._before = facts


def facts_of(saved: dict[str, Any]) -> Facts:
    """Return the facts of plain values."""
    arrays = {name: np.array(saved[name], np.float64) for name in ("own_position", "own_velocity")}
    arrays |= {name: np.array(saved[name], np.float64).reshape(-1, 3) for name in ("positions", "velocities")}
    arrays |= {name: np.array(saved[name], np.int64) for name in ("object_types", "iffs")}
    return Facts(**{**saved, **arrays, "ids": tuple(saved["ids"])})


def burnt_kg(facts: Facts, before: Facts | None) -> float:
    """Return the propellant burnt since the frame before."""
    return 0.0 if before is None else before.propellant_kg - facts.propellant_kg
