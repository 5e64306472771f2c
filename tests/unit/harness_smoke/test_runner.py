"""Checks run side by side; one whose need has failed is blocked."""

import threading
import time

import nats.errors
import pytest

from qiki_harness.smoke.check import Check, CheckFailedError, CheckVerdict, run
from qiki_harness.smoke.checks import CHECKS

PASSED, FAILED, BLOCKED = CheckVerdict.PASSED, CheckVerdict.FAILED, CheckVerdict.BLOCKED


def verdicts(checks):
    results = run(checks, None)
    return {result.check.name: result.verdict for result in results}


def test_a_check_says_what_it_saw_or_why_it_failed(make_check):
    checks = [make_check("one", outcome="3 of 3"), make_check("two", outcome=CheckFailedError("2 of\n  3"))]
    one, two = run(checks, None)
    assert (one.verdict, one.text) == (PASSED, "3 of 3")
    assert (two.verdict, two.text) == (FAILED, "2 of 3")


def test_what_needs_a_failed_check_is_blocked_and_so_is_what_needs_that(make_check):
    checks = [
        make_check("a", outcome=CheckFailedError("broken")),
        make_check("b", "a"),
        make_check("c", "b"),
        make_check("d"),
        make_check("e", "d", "c"),
    ]
    assert verdicts(checks) == {"a": FAILED, "b": BLOCKED, "c": BLOCKED, "d": PASSED, "e": BLOCKED}
    blocked = run(checks, None)[-1]
    assert (blocked.text, blocked.duration_s) == ("needs c", 0.0)


def test_a_need_that_is_not_asked_for_blocks_nothing(make_check):
    assert verdicts([make_check("b", "a")]) == {"b": PASSED}


def test_checks_that_do_not_need_each_other_run_side_by_side():
    barrier = threading.Barrier(2)

    def meet(_):
        barrier.wait(timeout=20)
        return "met"

    results = run([Check("one", "", meet), Check("two", "", meet)], None)
    assert [result.text for result in results] == ["met", "met"]


def test_results_are_shown_in_the_tables_order_whichever_is_ready_first():
    done = threading.Event()

    def slow(_):
        assert done.wait(timeout=20)
        return "slow"

    def quick(_):
        done.set()
        return "quick"

    shown = []
    run([Check("slow", "", slow), Check("quick", "", quick)], None, shown.append)
    assert [result.text for result in shown] == ["slow", "quick"]


def test_an_exception_in_the_calling_thread_interrupts_the_checks_and_waits_for_their_end(watcher):
    ended = []

    def patient(twin):
        try:
            twin.await_track(deadline_s=60)
        finally:
            ended.append("patient")

    def ctrl_c(_):
        raise KeyboardInterrupt

    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run([Check("quick", "", lambda _: "fine"), Check("patient", "", patient)], watcher, ctrl_c)
    assert ended == ["patient"]
    assert time.monotonic() - began_s < 30


@pytest.mark.parametrize("error", [nats.errors.NoRespondersError(), TimeoutError()])
def test_a_broker_that_does_not_answer_fails_the_check(make_check, error):
    (result,) = run([make_check("a", outcome=error)], None)
    assert result.verdict is FAILED
    assert result.text.startswith("NATS: ")


def test_whatever_else_a_check_raises_fails_it_alone_in_one_line(make_check):
    odd = ValueError("three\n lines\n\x1b[31mand \ud800")
    one, two = run([make_check("a", outcome=odd), make_check("b")], None)
    assert (one.verdict, one.text) == (FAILED, r"ValueError: three lines \x1b[31mand \ud800")
    assert two.verdict is PASSED


def test_every_check_stands_behind_what_it_needs():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for check in CHECKS:
        assert set(check.needs) <= set(names[: names.index(check.name)])
        assert len(check.name) <= 12
        assert check.proves
