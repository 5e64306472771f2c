"""The report of a run: operations, faults, what is declared, findings; as text or as JSON."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from qiki_harness.chaos.facts import Report
from qiki_harness.chaos.history import Operation
from qiki_harness.cli.output import table

_SHOWN = 20
_PROOF = 4
_NOUNS = {
    "event": "event publishes and answers", "command": "commands and answers", "read": "reads",
    "measured": "frames measured", "followed": "messages followed", "stored": "messages stored",
    "audit": "audit records",
}  # fmt: skip


def operations(history: Iterable[Operation]) -> dict[str, int]:
    """Return the number of operations by kind."""
    counts = Counter(one["op"] for one in history)
    return {op: counts[op] for op in _NOUNS}


def faults(history: Iterable[Operation]) -> dict[str, int]:
    """Return the number of faults that were caused, by kind."""
    return dict(
        sorted(Counter(one["kind"] for one in history if one["op"] == "fault" and one["state"] == "begun").items())
    )


def as_json(history: list[Operation], report: Report) -> str:
    """Return all of it as one JSON object."""
    found = [{"kind": one.kind, "what": one.what, "operations": one.operations} for one in report.findings]
    return json.dumps(
        {"operations": operations(history), "faults": faults(history), "declared": report.declared, "findings": found}
    )


def as_text(history: list[Operation], report: Report) -> Iterator[str]:
    """Yield the lines of the table and of the findings, each with the operations that prove it."""
    rows = [(_NOUNS[op], str(count)) for op, count in operations(history).items()]
    rows += [(f"fault: {kind}", str(count)) for kind, count in faults(history).items()]
    rows += [(f"declared: {what}", str(count)) for what, count in report.declared.items() if count]
    kinds = Counter(one.kind for one in report.findings)
    rows += [(f"finding: {kind}", str(kinds[kind])) for kind in ("lost", "doubled", "reordered", "invented", "stuck")]
    yield from table(("WHAT", "HOW MANY"), rows)
    for one in report.findings[:_SHOWN]:
        yield f"{one.kind}: {one.what}"
        yield from (f"    {json.dumps(proof)}" for proof in one.operations[:_PROOF])
    if (more := len(report.findings) - _SHOWN) > 0:
        yield f"and {more} more: --json has all of them"
