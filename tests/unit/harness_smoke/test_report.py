"""What the smoke test prints."""

import io
import json

import pytest

from qiki.runtime.terminal import echo
from qiki_harness.smoke.check import CheckFailedError, CheckResult, CheckVerdict
from qiki_harness.smoke.report import document, lines, listing, summary

LONG = "expected 10 frames on each subject within 10 s, came: " + ", ".join(f"{n} on subject.{n}" for n in range(9))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(result, stream):
    echo(*lines(result, 11, stream), stream=stream)
    return stream.getvalue().splitlines()


@pytest.fixture
def results(make_check):
    return [
        CheckResult(make_check("streams"), CheckVerdict.PASSED, 0.04, "4 streams"),
        CheckResult(make_check("radar"), CheckVerdict.FAILED, 10.02, LONG),
        CheckResult(make_check("tracks", "radar"), CheckVerdict.BLOCKED, 0.0, "needs radar"),
    ]


def test_a_result_is_one_line_where_no_terminal_is(results):
    assert [one for result in results for one in shown(result, io.StringIO())] == [
        "passed   streams        0.0 s  4 streams",
        f"failed   radar         10.0 s  {LONG}",
        "blocked  tracks                needs radar",
    ]


def test_on_a_terminal_it_is_coloured_and_folded_to_its_width(results, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    folded = shown(results[1], Terminal())
    folded[0] = folded[0].replace("\x1b[31mfailed \x1b[0m", "failed ")
    assert len(folded) > 2
    assert max(map(len, folded)) <= 80
    assert " ".join(one.strip() for one in folded).endswith(LONG)
    assert folded[0].startswith("failed   radar         10.0 s  expected 10 frames")
    assert all(one.startswith(" " * 31) and one[31] != " " for one in folded[1:])


def test_the_summary_names_what_did_not_pass_and_the_stack(results, target):
    assert summary(results, target, 10.1) == (
        "1 of 3 checks passed, 1 failed (radar), 1 blocked (tracks) in 10.1 s: the native stack 'default'"
    )
    assert summary(results[:1], target, 0.1) == "1 of 1 checks passed in 0.1 s: the native stack 'default'"


def test_the_document_holds_the_same_for_machines(results, target):
    told = json.loads(document(results, target, 10.1234))
    assert (told["passed"], told["duration_s"], told["stack"]["nats_url"]) == (
        False,
        10.123,
        target.stack.addresses["NATS_URL"],
    )
    assert [(one["name"], one["verdict"]) for one in told["checks"]] == [
        ("streams", "passed"),
        ("radar", "failed"),
        ("tracks", "blocked"),
    ]
    assert told["checks"][1]["text"] == LONG
    assert told["checks"][0]["proves"] == "that streams is well"
    assert json.loads(document(results[:1], target, 1.0))["passed"]


def test_the_listing_says_what_each_proves(make_check):
    checks = [make_check("radar"), make_check("streams", outcome=CheckFailedError("x"))]
    assert listing(checks) == ["radar    that radar is well", "streams  that streams is well"]
