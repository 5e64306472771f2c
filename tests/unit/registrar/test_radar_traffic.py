"""What a message adds to its second, whatever is in it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from qiki.audit.summary import Second
from registrar.radar import TRAFFIC, Traffic, counted, draft_of

FRAMES, TRACKED = TRAFFIC
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def message(body: bytes) -> Any:
    place = SimpleNamespace(sequence=SimpleNamespace(stream=7), timestamp=MOMENT)
    return SimpleNamespace(data=body, metadata=place)


@pytest.mark.parametrize(
    ("traffic", "body", "amount"),
    [
        (FRAMES, b'{"detections":[{},{}]}', 2),
        (FRAMES, b'{"detections":7}', None),
        (FRAMES, b"[]", None),
        (FRAMES, b"", None),
        (TRACKED, b'{"tracks":3}', 3),
        (TRACKED, b'{"tracks":-1}', None),
        (TRACKED, b'{"tracks":1e999}', None),
        (TRACKED, b'{"tracks":%s}' % (b"9" * 5000), None),
    ],
)
def test_what_cannot_be_counted_is_unreadable(traffic: Traffic, body: bytes, amount: int | None):
    one = counted(message(body), traffic)
    assert (one.sequence, one.stored_at, one.amount) == (7, MOMENT, amount)


@pytest.mark.parametrize(("traffic", "field"), [(FRAMES, "detections"), (TRACKED, "tracks")])
def test_a_second_is_a_record_that_names_its_place(traffic: Traffic, field: str):
    second = Second(int(MOMENT.timestamp()), 3, 9, frames=5, unreadable=2, amount=40)
    draft = draft_of(traffic, "2026-01-01T00:00:00.000000Z", second)
    assert draft.event_id == f"{traffic.topic.subject}:2026-01-01T00:00:00.000000Z:3-9"
    assert (draft.payload[field], draft.payload["frames"], draft.payload["unreadable"]) == (40, 5, 2)
    assert draft.timestamp == MOMENT
