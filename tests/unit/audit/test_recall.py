"""The state after a start, and the duplicates that are dropped."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qiki.audit.journal import FileLimits, Journal
from qiki.audit.recall import SeenEvents, continued, found_instead, recall
from qiki.audit.record import Draft, Entry, Head, own_draft, seal
from qiki.contracts.events import RADAR_FRAMES_SEEN, RadarFramesSeen
from registrar.anchors import read_head

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=7)
Make = Callable[..., Draft]
Write = Callable[..., list[Entry]]


def test_an_event_is_new_once(draft: Make):
    seen = SeenEvents()
    assert seen.add("urn:a", "1")
    assert not seen.add("urn:a", "1")
    assert [one.payload["n"] for one in seen.unseen([draft(1), draft(2), draft(1, payload={"n": 9})])] == [1, 2]


def test_source_and_id_together_name_an_event(draft: Make):
    seen = SeenEvents()
    seen.add("urn:a", "1")
    assert len(seen.unseen([draft(1, event_id="1", source="urn:b"), draft(1, event_id="1", source="urn:a")])) == 1


def test_the_oldest_event_is_dropped_when_there_is_no_room():
    seen = SeenEvents(capacity=2)
    for event_id in "123":
        seen.add("urn:a", event_id)
    assert len(seen) == 2
    assert not seen.add("urn:a", "3")
    assert not seen.add("urn:a", "2")
    assert seen.add("urn:a", "1")


def test_registered_events_are_known_after_a_start_across_files(tmp_path: Path, write: Write, draft: Make):
    write(tmp_path, 7, per_file=2)
    recalled = recall(tmp_path, None, LONG_AGO)
    assert [one.event_id for one in recalled.seen.unseen(draft(n) for n in range(10))] == [
        "event-0",
        "event-8",
        "event-9",
    ]


def test_events_older_than_the_stream_keeps_are_not_recalled(tmp_path: Path, write: Write, draft: Make):
    write(tmp_path, 7, per_file=2)  # registered one to seven seconds after noon
    recalled = recall(tmp_path, Head(7, ""), NOON + timedelta(seconds=5))
    assert [one.payload["n"] for one in recalled.seen.unseen(draft(n) for n in range(1, 8))] == [1, 2, 3, 4]


def test_the_newest_are_kept_when_there_is_no_room_for_all(tmp_path: Path, write: Write, draft: Make):
    write(tmp_path, 7, per_file=2)
    recalled = recall(tmp_path, Head(7, ""), LONG_AGO, SeenEvents(capacity=3))
    assert [one.payload["n"] for one in recalled.seen.unseen(draft(n) for n in range(1, 8))] == [1, 2, 3, 4]


def test_records_after_the_anchor_are_published_again(tmp_path: Path, write: Write):
    entries = write(tmp_path, 7, per_file=2)
    assert recall(tmp_path, entries[6].head, LONG_AGO).after_anchor == []
    again = recall(tmp_path, entries[3].head, LONG_AGO)
    assert [entry.line for entry in again.after_anchor] == [entry.line for entry in entries[4:]]
    assert again.contradiction is None
    fresh_stream = recall(tmp_path, None, LONG_AGO)
    assert [entry.head.sequence for entry in fresh_stream.after_anchor] == [7]  # those of the newest file


def test_another_record_in_the_anchors_place_is_a_contradiction(tmp_path: Path, write: Write):
    entries = write(tmp_path, 3)
    assert recall(tmp_path, Head(2, "f" * 64), LONG_AGO).contradiction == entries[1].head


def test_where_the_radars_summaries_ended_is_known(tmp_path: Path, draft: Make):
    journal = Journal(tmp_path, FileLimits(1 << 20, 1000))
    journal.open()
    for last in (10, 20):
        payload = RadarFramesSeen(
            stream="S", stream_created="c", first_sequence=last - 9, last_sequence=last, second_epoch=last, frames=10,
            detections=0, ts_epoch=0,
        )  # fmt: skip
        journal.append([own_draft(RADAR_FRAMES_SEEN, f"s{last}", payload, NOON), draft(last)], NOON)
    journal.close()
    recalled = recall(tmp_path, None, LONG_AGO)
    assert recalled.radar[RADAR_FRAMES_SEEN.ce_type]["last_sequence"] == 20
    assert len(recalled.seen) == 2


HEAD, OTHER = Head(5, "a" * 64), Head(5, "b" * 64)


@pytest.mark.parametrize(
    ("anchor", "contradiction", "goes_on_from", "found"),
    [
        (None, None, HEAD, None),
        (HEAD, None, HEAD, None),
        (Head(3, "c" * 64), None, HEAD, None),  # a crash between writing and telling
        (Head(9, "c" * 64), None, Head(9, "c" * 64), HEAD),  # cut off
        (OTHER, HEAD, OTHER, HEAD),  # the last one changed
        (Head(3, "c" * 64), Head(3, "d" * 64), HEAD, Head(3, "d" * 64)),  # rewritten
    ],
)
def test_the_head_that_the_chain_continues(
    anchor: Head | None, contradiction: Head | None, goes_on_from: Head, found: Head | None
):
    assert continued(HEAD, anchor) == goes_on_from
    assert found_instead(HEAD, anchor, contradiction) == found


def test_a_head_is_read_from_an_audit_message(draft: Make):
    entry = seal(draft(1), HEAD, NOON)
    assert read_head(entry.line) == entry.head
    assert read_head(b"not a record") is None
