"""The report of a run: a line each and a summary for people, one document for machines."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from qiki_harness.cli.output import DIM, GREEN, RED, paint
from qiki_harness.smoke.check import Check, CheckResult, CheckVerdict
from qiki_harness.smoke.target import Target

_COLOURS = {CheckVerdict.PASSED: GREEN, CheckVerdict.FAILED: RED, CheckVerdict.BLOCKED: DIM}
_WIDEST = 100


def line(result: CheckResult, width: int, stream: TextIO = sys.stdout) -> str:
    """Return verdict, name, duration and what was seen; on a terminal in colour, and folded to its width.

    Args:
        width: of the column of names
    """
    took = f"{result.duration_s:5.1f} s" if result.verdict is not CheckVerdict.BLOCKED else " " * 7
    verdict = f"{result.verdict:<7}"
    begin = f"{result.check.name:<{width}}  {took}  "
    indent = len(verdict) + 2 + len(begin)
    return f"{paint(verdict, _COLOURS[result.verdict], stream)}  {begin}{_folded(result.text, indent, stream)}"


def _folded(text: str, indent: int, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    width = min(shutil.get_terminal_size().columns, _WIDEST) - indent
    return ("\n" + " " * indent).join(textwrap.wrap(text, max(width, 20)))


def summary(results: Sequence[CheckResult], target: Target, duration_s: float) -> str:
    """Return how many passed, which did not, and on which stack."""
    names = {
        verdict: [result.check.name for result in results if result.verdict is verdict]
        for verdict in (CheckVerdict.FAILED, CheckVerdict.BLOCKED)
    }
    passed = sum(result.verdict is CheckVerdict.PASSED for result in results)
    said = [f"{passed} of {len(results)} checks passed"]
    said += [f"{len(those)} {verdict} ({', '.join(those)})" for verdict, those in names.items() if those]
    return f"{', '.join(said)} in {duration_s:.1f} s: {target.name}"


def document(results: Sequence[CheckResult], target: Target, duration_s: float) -> str:
    """Return the same, as JSON."""
    addresses = target.stack.addresses
    return json.dumps(
        {
            "passed": all_passed(results),
            "duration_s": round(duration_s, 3),
            "stack": {"name": target.name, "nats_url": addresses["NATS_URL"], "qsim_grpc": addresses["QSIM_GRPC"]},
            "checks": [
                {
                    "name": result.check.name,
                    "proves": result.check.proves,
                    "verdict": result.verdict,
                    "duration_s": round(result.duration_s, 3),
                    "text": result.text,
                }
                for result in results
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def listing(checks: Sequence[Check]) -> str:
    """Return the checks and what each proves."""
    width = max(len(check.name) for check in checks)
    return "\n".join(f"{check.name:<{width}}  {check.proves}" for check in checks)


def all_passed(results: Sequence[CheckResult]) -> bool:
    """Return whether nothing failed and nothing was blocked."""
    return all(result.verdict is CheckVerdict.PASSED for result in results)
