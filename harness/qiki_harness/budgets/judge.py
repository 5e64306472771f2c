"""The judgement: each figure that a run has seen, beside the table's, and how much is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qiki.contracts import topics
from qiki_harness.budgets.table import AtSpeed, Budgets, Starts

FACTOR = 1.8
_NOISE = 0.1  # of an interval: what a busy machine adds to the jitter of a topic
PACKAGES = "packages"


@dataclass(frozen=True, slots=True)
class Figure:
    """The judgement of a figure.

    Attributes:
        slack: allowed above what is said, however little that is
        timed: it is in proportion to the machine's speed, and so judged by the calibration of its run
        too_few: less than is said, by the same factor, is a fault too
    """

    slack: float
    timed: bool = False
    too_few: bool = False


FIGURES = {
    "cpu_percent": Figure(1.0, timed=True),
    "private_mb": Figure(4.0),
    "per_s": Figure(0.2, too_few=True),
    "jitter_ms": Figure(5.0, timed=True),
    "mb_per_min": Figure(1.0),
    "modules": Figure(20.0),
    "import_ms": Figure(20.0, timed=True),
}

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure: where it stands, what the table says, what was seen, what is allowed, and what is wrong."""

    place: Place
    said: float | None = None
    seen: float | None = None
    allowed: tuple[float, float] | None = None
    problem: str = ""


def judge(said: Budgets, seen: Budgets) -> list[Verdict]:
    """Return the verdict on every figure of either.

    What stands in one of them only is wrong: the table must name each service and topic that there is, and no other.
    No dead letter may come, whatever the table says.
    """
    expected, found = _figures(said, None), _figures(seen, said)
    return [
        _verdict(place, expected.get(place), found.get(place), _slack(place, expected))
        for place in {**expected, **found}
    ]


def _slack(place: Place, expected: Mapping[Place, float]) -> float:
    """Return what is allowed above what is said: of jitter, a tenth of the interval at least."""
    if place[-2] == PACKAGES:
        return 0.0
    slack = FIGURES[place[-1]].slack
    if place[-1] == "jitter_ms" and (rate := expected.get((*place[:-1], "per_s"))):
        return max(slack, _NOISE * 1e3 / rate)
    return slack


def _verdict(place: Place, said: float | None, seen: float | None, slack: float) -> Verdict:
    if said is None:
        return Verdict(place, None, seen, None, "is not in the table")
    if seen is None:
        return Verdict(place, said, None, None, "is in the table only")
    if place[-2] == PACKAGES:
        return Verdict(place, said, seen)
    never = place[-2] == topics.DEAD_LETTERS.subject
    least, most = (0.0, 0.0) if never else _bounds(FIGURES[place[-1]], said, slack)
    problem = "too much" if seen > most else "too little" if seen < least else ""
    return Verdict(place, said, seen, (least, most), problem)


def _bounds(figure: Figure, said: float, slack: float) -> tuple[float, float]:
    least = min(said / FACTOR, said - slack) if figure.too_few else float("-inf")
    return least, max(said * FACTOR, said + slack)


def _figures(table: Budgets, reference: Budgets | None) -> dict[Place, float]:
    """Return the figures by their places; timed ones as they would be on the reference's machine."""
    found: dict[Place, float] = {}
    for speed, section in table.speed.items():
        found |= _scaled(("speed " + speed,), section, reference.speed.get(speed) if reference else None)
    return found | _scaled(("imports",), table.imports, reference.imports if reference else None)


def _scaled(place: Place, section: AtSpeed | Starts, reference: AtSpeed | Starts | None) -> dict[Place, float]:
    slower = section.calibration_ms / reference.calibration_ms if reference else 1.0
    figures = dict(_leaves(place, section.model_dump(exclude={"calibration_ms"}, exclude_none=True)))
    return {
        where: value / slower if where[-1] in FIGURES and FIGURES[where[-1]].timed else value
        for where, value in figures.items()
    }


def _leaves(place: Place, entries: Mapping[str, Any]) -> Iterator[tuple[Place, float]]:
    for key, value in entries.items():
        if isinstance(value, Mapping):
            yield from _leaves((*place, key), value)
        elif key == PACKAGES:
            yield from (((*place, PACKAGES, name), 1.0) for name in value)
        else:
            yield (*place, key), float(value)
