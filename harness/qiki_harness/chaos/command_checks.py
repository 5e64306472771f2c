"""Checks of commands: each has one answer, except where a fault took it."""

from collections import Counter

from qiki_harness.chaos.facts import Facts, Report

ANSWER_S = 10.0
UNANSWERED = "commands without an answer during a fault"


def check_commands(facts: Facts, report: Report) -> None:
    """Check that no command has two answers, no answer lacks its command, and none is missing where all was well."""
    sent = {one["id"]: one for one in facts.of("command", state="sent")}
    answers = facts.of("answer")
    for identity, times in Counter(one["id"] for one in answers).items():
        if times > 1:
            report.add("doubled", f"command {identity} has {times} answers", *facts.of("answer", id=identity))
        if identity not in sent:
            report.add("invented", f"an answer to {identity}, which nobody sent", *facts.of("answer", id=identity))
    for one in facts.of("command", state="unknown"):
        begin_s = sent[one["id"]]["t"]
        if facts.calm(begin_s, begin_s + ANSWER_S):
            report.add("lost", f"command {one['id']} ({one['name']}) has no answer", sent[one["id"]], one)
        else:
            report.declared[UNANSWERED] += 1
