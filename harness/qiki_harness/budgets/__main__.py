"""`tox -e budgets`: run a native stack at each speed of the table, and judge it.

python -m qiki_harness.budgets TABLE [--seconds S] [--speed N ...] [--update]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from qiki.runtime.terminal import echo
from qiki_harness.budgets.imports import measure_imports
from qiki_harness.budgets.judge import PACKAGES, Verdict, judge
from qiki_harness.budgets.measure import measure
from qiki_harness.budgets.table import Budgets, load
from qiki_harness.cli.options import compose_file
from qiki_harness.cli.output import table
from qiki_harness.compose import ComposeFile
from qiki_harness.errors import HarnessError

_SPEEDS = ("1", "10")
_SECONDS = 30.0


def main() -> int:
    """Return the exit status: 1 where a figure is beyond its budget, or the table and the stack do not match."""
    parser = argparse.ArgumentParser(prog="budgets", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="of each speed")
    parser.add_argument("--update", action="store_true", help="write what is seen into the table, rounded")
    arguments = parser.parse_args()
    try:
        if arguments.update:
            arguments.table.write_text(see(_SPEEDS, arguments.seconds).to_toml(), encoding="utf-8")
            echo(f"{arguments.table}: is written; look at the change before you commit it.")
            return 0
        said = load(arguments.table)
        verdicts = judge(said, see(said.speed, arguments.seconds))
    except HarnessError as error:
        echo(f"budgets: {error}", stream=sys.stderr)
        return 1
    echo(*report(verdicts))
    return 1 if any(one.problem for one in verdicts) else 0


def see(speeds: Iterable[str], seconds: float) -> Budgets:
    """Measure at each speed, a stack after the other, and the imports."""
    compose = ComposeFile(compose_file())
    with tempfile.TemporaryDirectory(prefix="budgets-") as folder:
        project = compose.project(compose.native_variables(Path(folder), {}))
        imports = measure_imports(project.services)
        sections = {speed: measure(compose.file, Path(folder) / speed, speed, seconds) for speed in speeds}
    return Budgets(speed=sections, imports=imports)


def report(verdicts: list[Verdict]) -> Iterator[str]:
    """Yield said, seen and allowed, side by side; packages only where they are wrong."""
    shown = [one for one in verdicts if one.problem or PACKAGES not in one.place]
    yield from table(("FIGURE", "SAID", "SEEN", "ALLOWED", ""), map(_row, shown))
    wrong = [one for one in verdicts if one.problem]
    yield f"{len(verdicts)} figures, {len(wrong)} of them wrong{':' if wrong else '.'}"
    yield from (f"  {' '.join(one.place)} {one.problem}" for one in wrong)


def _row(verdict: Verdict) -> tuple[str, ...]:
    said, seen = (("-" if one is None else f"{one:.2f}") for one in (verdict.said, verdict.seen))
    return " ".join(verdict.place), said, seen, _allowed(verdict), verdict.problem and f"<- {verdict.problem}"


def _allowed(verdict: Verdict) -> str:
    if verdict.allowed is None:
        return "-"
    least, most = verdict.allowed
    return f"{least:.2f} to {most:.2f}" if least > 0 else f"{most:.2f}"


if __name__ == "__main__":
    sys.exit(main())
