"""The verdict on known vulnerabilities: nothing, something, or no answer."""

from qiki_harness.supply.audit import Report

CLEAN = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}
BAD = {"name": "c", "version": "3", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1", "4"]}]}
WORSE = {"name": "d", "version": "4", "vulns": [{"id": "X-2", "fix_versions": []}]}


def test_nothing_is_known():
    report = Report([CLEAN])
    assert (report.status, list(report.lines())) == (0, ["there are answers for 1 distributions"])


def test_what_nobody_answers_for_is_named():
    report = Report([CLEAN, SKIPPED])
    assert (report.status, list(report.lines())) == (0, ["there are answers for 1 distributions; none for b"])


def test_what_is_known_is_named_with_its_mend():
    report = Report([CLEAN, BAD, WORSE])
    assert report.status == 1
    assert list(report.lines())[:2] == ["c 3: PYSEC-1, mended in 3.1, 4", "d 4: X-2, mended in no version yet"]


def test_no_answer_is_one_line_and_a_status_of_its_own():
    for report, said in ((Report([SKIPPED]), ""), (Report([], "timed out"), ": timed out")):
        assert report.status == 3
        assert list(report.lines()) == [f"the service of known vulnerabilities does not answer{said}"]
