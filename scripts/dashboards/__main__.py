"""Write the dashboards and the generated parts of `docs/observability.md`, or check that they are fresh.

python scripts/dashboards [--check]
"""

import argparse
import sys
from pathlib import Path

from build import text
from page import PAGE, PageError, page
from queries import asked
from run import RUN
from stack import STACK

FOLDER = PAGE.parent / "dashboards"
BOARDS = (STACK, RUN)


def main() -> None:
    """Write or check the documents."""
    parser = argparse.ArgumentParser(prog="dashboards", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if one is stale")
    parser.add_argument("--update", action="store_true", help="write what is stale: what happens without --check")
    check = parser.parse_args().check
    try:
        made = {PAGE: page()} | {FOLDER / f"{board.name}.json": text(board) for board in BOARDS}
        stale = [path for path, content in made.items() if not path.exists() or path.read_text() != content]
        left_over = [path for path in FOLDER.glob("*.json") if path not in made]
        if not check:
            _write(made, stale, left_over)
        asked(FOLDER)  # a query that is no PromQL ends here
    except (PageError, ValueError) as error:
        sys.exit(f"dashboards: {error}")
    if check and (stale or left_over):
        names = ", ".join(str(path.relative_to(PAGE.parents[1])) for path in [*stale, *left_over])
        sys.exit(f"dashboards: stale: {names}; run python scripts/dashboards")


def _write(made: dict[Path, str], stale: list[Path], left_over: list[Path]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(made[path])
    for path in left_over:
        path.unlink()


if __name__ == "__main__":
    main()
