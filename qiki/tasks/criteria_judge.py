"""The judge of a flight by criteria: it answers each with a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from qiki.tasks.criteria import LIMITS, Criteria, Criterion
from qiki.tasks.facts import Facts
from qiki.tasks.task import Summary


@dataclass(frozen=True)
class Verdict:
    """The answer of a criterion.

    Attributes:
        at_s: first time at which it failed, since the first frame; None while it holds
        value: the worst one; None where there was none
        value_s: time of that value
        margin: from the limit to the worst value; negative: failed
        contact: name of the contact of the worst value; empty for other values
        sentence: all of this, for people
    """

    id: str
    holds: bool
    at_s: float | None
    value: float | None
    value_s: float
    margin: float | None
    contact: str
    sentence: str


@dataclass(frozen=True, eq=False)
class Reading:
    """A step of a flight as the criteria see it; figures are sums since the first frame."""

    t_s: float
    facts: Facts | None
    before: Facts | None
    propellant_kg: float
    alarmed_s: float
    safe_s: float
    faults: int


Measured = tuple[float | None, str]
"""A value, and the contact that it belongs to."""


def _distance(criterion: Criterion, reading: Reading) -> Measured:
    if reading.facts is None or not (rows := np.flatnonzero(criterion.counts(reading.facts))).size:
        return None, ""
    distances = reading.facts.closest_m(reading.before)[rows]
    nearest = int(distances.argmin())
    return float(distances[nearest]), reading.facts.ids[rows[nearest]]


@dataclass(frozen=True)
class Measure:
    """The value that a limit is for; `sense` is 1 where more is better, else -1."""

    sense: int
    shown: str
    read: Callable[[Criterion, Reading], Measured]


MEASURES: Mapping[str, Measure] = {
    "min_distance_m": Measure(1, "{:.1f} m", _distance),
    "max_propellant_kg": Measure(-1, "{:.3f} kg", lambda _, reading: (reading.propellant_kg, "")),
    "max_alarmed_s": Measure(-1, "{:.1f} s", lambda _, reading: (reading.alarmed_s, "")),
    "max_safe_s": Measure(-1, "{:.1f} s", lambda _, reading: (reading.safe_s, "")),
    "max_faults": Measure(-1, "{:.0f} faults", lambda _, reading: (reading.faults, "")),
}
"""By the names of their limits."""


class CriteriaJudge:
    """Judges a flight by criteria, step by step.

    Args:
        frame_s: duration of a step
        steps: most that the task has
        names: of the contacts in their scenario, by the ids that facts have
    """

    def __init__(
        self, criteria: Criteria, frame_s: float, steps: int, names: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._frame_s, self._steps, self._names = frame_s, steps, names
        self._before: Facts | None = None
        self._fuel_kg: float | None = None
        self._taken = self._alarmed = self._safe = self._faults = 0
        self._courses = [_Course(one) for one in criteria.criteria]

    def take(self, facts: Facts | None, *, safe_mode: bool, faults: int) -> None:
        """Take the next frame, the first one too; without facts the radar measured none.

        Args:
            faults: number of engines that failed at it
        """
        if facts is not None and self._fuel_kg is None:
            self._fuel_kg = facts.propellant_kg
        known = facts or self._before
        used_kg = (self._fuel_kg or 0.0) - known.propellant_kg if known else 0.0
        self._alarmed += facts is not None and facts.alerts > 0
        self._safe += safe_mode
        self._faults += faults
        frame_s = self._frame_s
        sums = used_kg, self._alarmed * frame_s, self._safe * frame_s, self._faults
        reading = Reading(self._taken * frame_s, facts, self._before, *sums)
        for course in self._courses:
            course.take(reading)
        self._taken += 1
        self._before = facts or self._before

    def verdicts(self, summary: Summary) -> tuple[Verdict, ...]:
        """Return the answers at the end of the flight."""
        end_s = summary.steps * self._frame_s
        used = summary.steps / self._steps
        return tuple(course.verdict(summary, end_s, used, self._names) for course in self._courses)


class _Course:
    """The worst value of one criterion until now."""

    def __init__(self, criterion: Criterion) -> None:
        self._criterion = criterion
        self._name = next((name for name in LIMITS if getattr(criterion, name) is not None), "")
        self._failed_s: float | None = None
        self._margin = np.inf
        self._worst: tuple[float, float, str] | None = None

    def take(self, reading: Reading) -> None:
        if not self._name:
            return
        measure = MEASURES[self._name]
        value, contact = measure.read(self._criterion, reading)
        if value is None:
            return
        margin = measure.sense * (value - getattr(self._criterion, self._name))
        if margin < self._margin:
            self._margin, self._worst = margin, (value, reading.t_s, contact)
        if margin < 0 and self._failed_s is None:
            self._failed_s = reading.t_s

    def verdict(self, summary: Summary, end_s: float, used: float, names: Mapping[str, str]) -> Verdict:
        """Return the answer; `used` is the share of the task's time that has passed."""
        one = self._criterion
        if not self._name:
            holds = summary.success
            how = (
                f"held, {summary.outcome} at {end_s:.1f} s" if holds else f"failed at {end_s:.1f} s, {summary.outcome}"
            )
            margin = 1.0 - used if holds else -1.0
            at_s = None if holds else end_s
            return Verdict(one.id, holds, at_s, None, end_s, margin, "", f"{one.description}: {how}")
        if self._worst is None:
            return Verdict(one.id, True, None, None, 0.0, None, "", f"{one.description}: held, nothing to measure")
        value, value_s, identity = self._worst
        contact = names.get(identity, identity)
        failed_s = self._failed_s
        how = "held" if failed_s is None else f"failed at {failed_s:.1f} s"
        sentence = f"{one.description}: {how}, {self._shown(value, value_s)}{f', `{contact}`' if contact else ''}"
        return Verdict(one.id, failed_s is None, failed_s, value, value_s, self._margin, contact, sentence)

    def _shown(self, value: float, value_s: float) -> str:
        measure = MEASURES[self._name]
        worst = "least" if measure.sense > 0 else "in all"
        when = f" at {value_s:.1f} s" if measure.sense > 0 else ""
        return f"{worst} {measure.shown.format(value)}{when}"
