"""The nouns of the dashboards, and how their queries are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

JOB = "qiki"
WINDOW = "[$__rate_interval]"


class Shape(Enum):
    """A panel's form."""

    LINES = "lines over time"
    FIGURES = "the newest value of each line, in large type"
    BARS = "the newest value of each line, as a bar"
    STATES = "a band that changes colour with the value"


@dataclass(frozen=True)
class Line:
    """A query, and the name of what it returns: `{{label}}` stands for a label's value."""

    query: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        unit: Grafana's name of the unit
        about: one sentence
        width: in columns; a row has 24
        limit: a line that the values should not pass
        states: text and colour of a value
        without: what stands for no value at all
    """

    title: str
    unit: str
    about: str
    lines: tuple[Line, ...]
    shape: Shape = Shape.LINES
    width: int = 8
    limit: float | None = None
    states: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    without: str = ""


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard; `name` is its file's and its address."""

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]


def series(metric: str, *services: str, **labels: str) -> str:
    """Return the selector of a metric of these services, else of all; a label's value is a regular expression."""
    wanted = {"job": JOB, "service": "|".join(services), **labels}
    pairs = (f'{name}{"=~" if "|" in value else "="}"{value}"' for name, value in wanted.items() if value)
    return f"{metric}{{{','.join(pairs)}}}"


def rate(metric: str, *services: str, **labels: str) -> str:
    """Return a counter's growth a second."""
    return f"rate({series(metric, *services, **labels)}{WINDOW})"


def total(by: str, metric: str, *services: str, **labels: str) -> str:
    """Return a sum for each value of the labels `by`. A label's first value has no growth: a rate misses it."""
    return f"sum by ({by}) ({series(metric, *services, **labels)})"


def quantile(share: float, histogram: str, service: str, by: str = "") -> str:
    """Return a quantile of a histogram, for each value of the label `by`."""
    grouped = f"sum by ({', '.join(filter(None, ('le', by)))}) ({rate(f'{histogram}_bucket', service)})"
    return f"histogram_quantile({share:g}, {grouped})"
