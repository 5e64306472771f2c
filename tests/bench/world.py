"""The world's tick and the run in one process, of every shipped scenario, in turn with another checkout."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from qiki.world.scenario import scenario_names

PROGRAM = Path(__file__).parent / "pace.py"
WARM_UP, ROUNDS = 3, 20  # rounds of a second of simulated time; the first ones do not count
Figures = dict[str, float]


def measure(runs: int, beside: Path | None) -> Iterator[str]:
    """Lines of a table: for each scenario the medians, and of each figure how many times the other checkout's it is."""
    yield "ms a tick and its stages; flights in times real time, of CPU time"
    for name in scenario_names():
        rounds = [one for _ in range(runs) for one in in_turn(name, beside)]
        yield f"{name:14} {text(middle([ours for ours, _ in rounds]))}"
        if beside:
            yield f"{'  before':14} {text(middle([theirs for _, theirs in rounds]))}"
            ratios = [{key: ours[key] / theirs[key] for key in ours} for ours, theirs in rounds]
            yield f"{'  ratio':14} {text(middle(ratios))}"


def in_turn(name: str, beside: Path | None) -> list[tuple[Figures, Figures]]:
    """The rounds of this checkout, and those of the other one, or its own again."""
    with ExitStack() as ends:
        ours = ends.enter_context(program(sys.executable, name))
        theirs = ends.enter_context(program(str(beside / ".venv" / "bin" / "python"), name)) if beside else ours
        rounds = [(one(ours), one(theirs)) for _ in range(WARM_UP + ROUNDS)]
        for process in {ours, theirs}:
            process.communicate()
    return rounds[WARM_UP:]


def program(interpreter: str, name: str) -> subprocess.Popen[str]:
    """A process that measures a round for each line."""
    command = [interpreter, str(PROGRAM), name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def one(process: subprocess.Popen[str]) -> Figures:
    """The next round of a process."""
    print("next", file=process.stdin, flush=True)
    figures: Figures = json.loads(process.stdout.readline())
    return figures


def middle(rows: list[Figures]) -> Figures:
    """The median of each figure."""
    return {key: median(row[key] for row in rows) for key in rows[0]}


def text(figures: Figures) -> str:
    """Figures in a line: ms a tick, times real time, or ratios."""
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
