"""The world's tick and the run in one process, of every shipped scenario, beside another checkout in the same run."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from qiki.world.scenario import scenario_names

PROGRAM = Path(__file__).parent / "pace.py"
Figures = dict[str, float]


def measure(runs: int, beside: Path | None) -> Iterator[str]:
    """Lines of a table: for each scenario the medians, and with another checkout how many times its own they are."""
    for name in scenario_names():
        pairs = [(pace(sys.executable, name), pace(python(beside), name) if beside else None) for _ in range(runs)]
        now = middle([ours for ours, _ in pairs])
        yield f"{name:14} {text(now)}"
        if beside:
            yield f"{'  before':14} {text(middle([theirs for _, theirs in pairs if theirs]))}"
            ratios = [{key: ours[key] / theirs[key] for key in ours} for ours, theirs in pairs if theirs]
            yield f"{'  ratio':14} {text(middle(ratios))}"


def python(checkout: Path) -> str:
    """The Python of a checkout."""
    return str(checkout / ".venv" / "bin" / "python")


def pace(interpreter: str, name: str) -> Figures:
    """The figures of one process."""
    figures: Figures = json.loads(subprocess.check_output([interpreter, str(PROGRAM), name]))
    return figures


def middle(rows: list[Figures]) -> Figures:
    """The median of each figure."""
    return {key: median(row[key] for row in rows) for key in rows[0]}


def text(figures: Figures) -> str:
    """Figures in a line: ms a tick, times real time, or ratios."""
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
