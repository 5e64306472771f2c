"""What a run of checks says: a line each and a summary for people, one document for machines."""

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from qiki_harness.cli.output import DIM, GREEN, RED, paint
from qiki_harness.smoke.check import Check, Result, Verdict
from qiki_harness.smoke.target import Target

_COLOURS = {Verdict.PASSED: GREEN, Verdict.FAILED: RED, Verdict.BLOCKED: DIM}
_WIDEST = 100


def line(result: Result, names: int, stream: TextIO = sys.stdout) -> str:
    """Verdict, name, duration and what was seen; on a terminal in colour, and folded to its width.

    Args:
        names: width of the column of names
    """
    took = f"{result.duration_s:5.1f} s" if result.verdict is not Verdict.BLOCKED else " " * 7
    verdict = f"{result.verdict:<7}"
    begin = f"{result.check.name:<{names}}  {took}  "
    indent = len(verdict) + 2 + len(begin)
    return f"{paint(verdict, _COLOURS[result.verdict], stream)}  {begin}{_folded(result.text, indent, stream)}"


def _folded(text: str, indent: int, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    width = min(shutil.get_terminal_size().columns, _WIDEST) - indent
    return ("\n" + " " * indent).join(textwrap.wrap(text, max(width, 20)))


def summary(results: Sequence[Result], target: Target, duration_s: float) -> str:
    """How many passed, which did not, on what."""
    names = {
        verdict: [result.check.name for result in results if result.verdict is verdict]
        for verdict in (Verdict.FAILED, Verdict.BLOCKED)
    }
    passed = sum(result.verdict is Verdict.PASSED for result in results)
    said = [f"{passed} of {len(results)} checks passed"]
    said += [f"{len(those)} {verdict} ({', '.join(those)})" for verdict, those in names.items() if those]
    return f"{', '.join(said)} in {duration_s:.1f} s: {target.name}"


def document(results: Sequence[Result], target: Target, duration_s: float) -> str:
    """The same, as JSON."""
    return json.dumps(
        {
            "passed": all_passed(results),
            "duration_s": round(duration_s, 3),
            "stack": {"name": target.name, "nats_url": target.nats_url, "qsim_grpc": target.qsim_grpc},
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
    """The checks and what each proves."""
    width = max(len(check.name) for check in checks)
    return "\n".join(f"{check.name:<{width}}  {check.proves}" for check in checks)


def all_passed(results: Sequence[Result]) -> bool:
    """Whether nothing failed and nothing was blocked."""
    return all(result.verdict is Verdict.PASSED for result in results)
