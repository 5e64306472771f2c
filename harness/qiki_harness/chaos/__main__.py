"""`tox -e chaos`: a seeded plan of faults on a native stack under load, then the verdict on its history.

python -m qiki_harness.chaos [--seed N] [--minutes M] [--faults a,b,c] [--speed X] [--keep FOLDER] [--plan] [--json]

The exit status is 0 where nothing was found, 1 where something was, 2 for a wrong command line.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qiki.errors import UserError
from qiki.runtime.terminal import echo, echo_json
from qiki_harness.chaos.checker import check
from qiki_harness.chaos.history import Operation, read_history
from qiki_harness.chaos.means import enter_namespace, lacks
from qiki_harness.chaos.plan import KINDS, make_plan
from qiki_harness.chaos.report import as_json, as_text
from qiki_harness.chaos.run import note_plan, run

MODULE = "qiki_harness.chaos"


def main(words: Sequence[str] | None = None) -> int:
    """Return the exit status."""
    parser = _parser()
    given = parser.parse_args(words)
    wanted = given.faults.split(",")
    if unknown := sorted(set(wanted) - set(KINDS)):
        parser.error(f"--faults: no kind {', '.join(unknown)}: there are {', '.join(KINDS)}")
    if given.minutes <= 0 or given.speed <= 0:
        parser.error("--minutes and --speed: expected more than 0")
    missing = lacks()
    kinds = [kind for kind in wanted if kind not in missing]
    for kind in set(wanted) & set(missing):
        echo(f"chaos: left out: {kind}: {missing[kind]}", stream=sys.stderr)
    plan = make_plan(given.seed, given.minutes, kinds)
    if given.plan:
        echo(*map(str, plan.faults))
        return 0
    if given.keep and given.keep.exists() and any(given.keep.iterdir()):
        parser.error(f"--keep: {given.keep} is not empty")
    if "disk" in kinds:
        enter_namespace(MODULE, list(sys.argv[1:] if words is None else words))
    folder = given.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    note_plan(folder, plan)
    try:
        history = read_history(asyncio.run(run(folder.resolve(), plan, given.speed, given.scenario)))
    except UserError as error:
        echo(f"chaos: {error}", f"chaos: logs are in {folder}", stream=sys.stderr)
        return 1
    return _told(given, history, f"--faults {','.join(kinds)}", folder)


def _told(given: argparse.Namespace, history: list[Operation], faults: str, folder: Path) -> int:
    """Print what the history shows; keep the folder only if there is a finding. Return the exit status."""
    report = check(history)
    if given.json:
        echo_json(as_json(history, report))
    else:
        echo(*as_text(history, report))
    if report.findings:
        again = f"--seed {given.seed} --minutes {given.minutes:g} --speed {given.speed:g} {faults}"
        where = f"chaos: history, plan and logs: {folder}"
        echo(where, f"chaos: again: tox -e chaos -- {again}", stream=sys.stderr)
        return 1
    if not given.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the plan, the world and the load")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--faults", default=",".join(KINDS), help="kinds, separated by commas (default: all)")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds a second")
    parser.add_argument("--scenario", default="mixed-traffic")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write into this folder, and leave it there")
    parser.add_argument("--plan", action="store_true", help="print the plan and end")
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
