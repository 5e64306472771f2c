"""The guard's reports of one run: bounded, without replaced ones."""

from typing import Any

from qiki.agent.perception.alerts import KEPT_KEYS, KEPT_REPORTS, GuardBook, GuardReport
from qiki.agent.perception.frames import Received
from qiki.contracts.radar import GuardAlert

RULE = "UNKNOWN_CONTACT_CLOSE"


def size(book: GuardBook) -> int:
    return sum(map(len, book._reports.values()))


def report(frame: int, alert: GuardAlert | None) -> GuardReport:
    return GuardReport(frame, alert, Received("a subject", frame, 0.0))


def test_replaced_reports_are_forgotten(make: Any):
    book, track = GuardBook(), make.track_id(1)
    for frame in range(10):
        book.add((RULE, track), report(frame, None if frame % 2 else make.alert(1, frame)))
    assert [received.sequence for _, received in book.holding(6, {track})] == [6]
    book.settle(6, {track})
    assert size(book) == 4
    assert [received.sequence for _, received in book.holding(8, {track})] == [8]
    assert list(book.holding(7, {track})) == []


def test_reports_of_a_track_that_is_gone_are_forgotten(make: Any):
    book = GuardBook()
    book.add((RULE, make.track_id(1)), report(3, make.alert(1)))
    book.settle(4, set())
    assert size(book) == 0


def test_same_report_again_changes_nothing(make: Any):
    book = GuardBook()
    for _ in range(2):
        book.add((RULE, make.track_id(1)), report(3, make.alert(1)))
    assert size(book) == 1


def test_the_book_is_bounded_and_ended_alerts_go_first(make: Any):
    book = GuardBook()
    for frame in range(2 * KEPT_REPORTS):
        book.add((RULE, make.track_id(0)), report(frame, None))
    assert size(book) == KEPT_REPORTS
    alert = make.alert(1)
    for number in range(1, KEPT_KEYS + 1):
        book.add((f"rule {number}", alert.track_id), report(number, alert))
    held = list(book.holding(KEPT_KEYS, {alert.track_id, make.track_id(0)}))
    assert len(held) == size(book) == KEPT_KEYS
