"""The checker: pure functions from a history to what was lost, doubled, reordered or invented.

What is declared (docs/wire.md) is counted, and is no finding: a message stored again after the duplicate window, frames
that die with the simulator's process, frames that a gap event tells of, a command without an answer during a fault.
"""

from collections.abc import Iterable
from itertools import pairwise

from qiki_harness.chaos.command_checks import check_commands
from qiki_harness.chaos.event_checks import check_audit, check_events
from qiki_harness.chaos.facts import Facts, Report
from qiki_harness.chaos.history import Operation
from qiki_harness.chaos.radar_checks import check_frames, check_tracks

LATER = "messages stored again after the duplicate window"


def check(history: Iterable[Operation]) -> Report:
    """Check a whole history."""
    facts, report = Facts(history), Report()
    for one in (check_late, check_doubles, check_reads, check_events, check_audit, check_frames, check_tracks):
        one(facts, report)
    check_commands(facts, report)
    return report


def check_late(facts: Facts, report: Report) -> None:
    """Report what did not come back after a fault."""
    for one in facts.of("late"):
        report.add("stuck", one["what"], one)


def check_doubles(facts: Facts, report: Report) -> None:
    """Check that no stream took a message id twice within its duplicate window."""
    for stream in facts.streams:
        window_s = facts.settings["window_s"][stream]
        for identity, copies in facts.by_id(stream).items():
            for first, second in pairwise(copies):
                if second["at"] - first["at"] >= window_s:
                    report.declared[LATER] += 1
                else:
                    where = f"{stream} {first['seq']} and {second['seq']}"
                    report.add("doubled", f"{where}: message id {identity}", first, second)


def check_reads(facts: Facts, report: Report) -> None:
    """Check that what somebody read is still there: at its place, or anywhere in a stream that writes later."""
    places = {stream: {one["seq"]: one["id"] for one in facts.stored(stream)} for stream in facts.streams}
    for op in ("read", "followed"):
        for one in facts.of(op):
            stream, sequence, identity = one["stream"], one["seq"], one["id"]
            if stream in facts.settings["asynchronous"]:
                if identity not in facts.by_id(stream):
                    report.add("lost", f"{stream} {sequence}: message id {identity} was {op}, and is not there", one)
            elif (there := places.get(stream, {}).get(sequence)) != identity:
                report.add("lost", f"{stream} {sequence}: {identity} was {op}; there is now {there}", one)
