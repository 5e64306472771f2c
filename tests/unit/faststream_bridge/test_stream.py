"""Whether the stream is still the one that the bridge follows."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from faststream_bridge.snapshot import Snapshot
from faststream_bridge.stream import PRECISION, Newest, Position, StreamChangedError, check_followed, covers

MADE = datetime(2026, 1, 1, tzinfo=UTC)
LATER = MADE + timedelta(seconds=1)
WHERE = Position(str(MADE), str(MADE), 1, 5, 0, 0, 0, 0)


def stream(created: datetime = MADE, last_seq: int = 7) -> Any:
    config, state = SimpleNamespace(name="QIKI_RADAR_V1"), SimpleNamespace(last_seq=last_seq)
    return SimpleNamespace(config=config, state=state, created=created)


def durable(created: datetime = MADE, name: str = "radar_frames_pull") -> dict[tuple[str, str], Any]:
    return {("QIKI_RADAR_V1", name): SimpleNamespace(created=created)}


@pytest.mark.parametrize("sequence", [0, 5, 7])
def test_an_unchanged_stream_is_followed(sequence: int):
    check_followed(WHERE, sequence, [stream()], durable())


@pytest.mark.parametrize(
    ("streams", "durables", "said"),
    [
        ([], {}, "QIKI_RADAR_V1 was removed while"),
        ([stream(LATER, 100)], durable(LATER), "QIKI_RADAR_V1 was made again while"),
        ([stream(last_seq=4)], durable(), "QIKI_RADAR_V1 lost its last 3 messages while"),
        ([stream()], durable(name="another"), "radar_frames_pull was removed while"),
        ([stream()], durable(LATER), "radar_frames_pull was made again while"),
    ],
)
def test_a_changed_stream_is_an_error(streams: list[Any], durables: dict[tuple[str, str], Any], said: str):
    with pytest.raises(StreamChangedError, match=f"^{said}"):
        check_followed(WHERE, 7, streams, durables)


def test_a_message_that_was_handled_is_no_younger_than_the_newest_though_the_clock_was_set_back():
    newest = Newest()
    newest.check(LATER)  # nothing is known yet
    for stored in (LATER, None, MADE):
        newest.note(stored)
        assert newest.stored == stored
    newest.check(None)
    newest.check(LATER + PRECISION)
    with pytest.raises(StreamChangedError):
        newest.check(LATER + 2 * PRECISION)


@pytest.mark.parametrize(
    ("first", "there", "covered"),
    [
        (1, MADE, True),
        (1, MADE + PRECISION, True),
        (1, LATER, False),  # another frame took its place
        (1, None, False),  # something else did
        (8, None, True),  # it has aged away
    ],
)
def test_a_snapshot_covers_the_frame_that_it_was_taken_behind(first: int, there: datetime | None, covered: bool):
    async def when(_: int) -> datetime | None:
        return there

    frames: Any = SimpleNamespace(when=when)
    where = Position(str(MADE), str(MADE), first, 20, 0, 0, 0, 0)
    assert asyncio.run(covers(Snapshot(str(MADE), 7, MADE, []), where, frames)) == covered
