"""The report of a run: a line each and a summary for people, one document for machines."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from qiki.runtime.terminal import DIM, GREEN, RED, Line, Painted
from qiki_harness.smoke.check import Check, CheckResult, CheckVerdict
from qiki_harness.smoke.target import Target

_COLOURS = {CheckVerdict.PASSED: GREEN, CheckVerdict.FAILED: RED, CheckVerdict.BLOCKED: DIM}
_WIDEST = 100


def lines(result: CheckResult, width: int, stream: TextIO = sys.stdout) -> list[Line]:
    """Return verdict, name in a column of `width`, duration and text; on a terminal in colour, folded to its width."""
    took = f"{result.duration_s:5.1f} s" if result.verdict is not CheckVerdict.BLOCKED else " " * 7
    verdict, begin = f"{result.verdict:<7}", f"  {result.check.name:<{width}}  {took}  "
    folded = [result.text]
    indent = len(verdict + begin)
    if stream.isatty():
        left = min(shutil.get_terminal_size().columns, _WIDEST) - indent
        folded = textwrap.wrap(result.text, max(left, 20)) or [""]
    first: Line = (Painted(verdict, _COLOURS[result.verdict]), f"{begin}{folded[0]}")
    return [first, *(" " * indent + text for text in folded[1:])]


def summary(results: Sequence[CheckResult], target: Target, duration_s: float) -> str:
    """Return how many passed, which did not, and on which stack."""
    names = {verdict: [one.check.name for one in results if one.verdict is verdict] for verdict in CheckVerdict}
    parts = [f"{len(names.pop(CheckVerdict.PASSED))} of {len(results)} checks passed"]
    parts += [f"{len(those)} {verdict} ({', '.join(those)})" for verdict, those in names.items() if those]
    return f"{', '.join(parts)} in {duration_s:.1f} s: {target.name}"


def document(results: Sequence[CheckResult], target: Target, duration_s: float) -> str:
    """Return the same, as JSON."""
    addresses = target.stack.addresses
    checks = [
        {
            "name": one.check.name,
            "proves": one.check.proves,
            "verdict": one.verdict,
            "duration_s": round(one.duration_s, 3),
            "text": one.text,
        }
        for one in results
    ]
    stack = {"name": target.name, "nats_url": addresses["NATS_URL"], "qsim_grpc": addresses["QSIM_GRPC"]}
    content = {"passed": all_passed(results), "duration_s": round(duration_s, 3), "stack": stack, "checks": checks}
    return json.dumps(content, ensure_ascii=False, indent=1)


def listing(checks: Sequence[Check]) -> list[str]:
    """Return the checks and what each proves."""
    width = max(len(check.name) for check in checks)
    return [f"{check.name:<{width}}  {check.proves}" for check in checks]


def all_passed(results: Sequence[CheckResult]) -> bool:
    """Return whether nothing failed and nothing was blocked."""
    return all(result.verdict is CheckVerdict.PASSED for result in results)
