"""Rows of the table, and the numbers in them."""

import os
from dataclasses import dataclass, field
from statistics import median, quantiles

WIDTHS = (44, 40, 12, 6)


@dataclass(frozen=True)
class Row:
    """A measured value beside its aim. `beside`: a floor, a ceiling or a part of the same run.

    `load`: the machine's load average when it was measured, the measurement's own share included.
    """

    what: str
    seen: str
    aim: str = ""
    beside: str = ""
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def line(self) -> str:
        """Return the row as text."""
        return aligned(self.what, self.seen, self.aim, f"{self.load:.1f}", self.beside)


def aligned(*cells: str) -> str:
    """Return cells in columns."""
    first = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False))
    return " ".join([*first, *cells[len(WIDTHS) :]]).rstrip()


HEAD = aligned("what", "seen", "aim", "load", "beside")


def percentiles(values: list[float], unit: str, digits: int = 0) -> str:
    """Return the 50th and the 95th percentile as text."""
    if len(values) < 2:
        return "nothing" if not values else f"{values[0]:.{digits}f} {unit}"
    return f"p50 {median(values):.{digits}f} {unit}, p95 {quantiles(values, n=20)[-1]:.{digits}f} {unit}"
