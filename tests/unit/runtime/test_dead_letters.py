"""Reasons of dead letters, and their bytes."""

import asyncio
from collections.abc import Mapping

import nats.errors
import pytest
from pydantic import TypeAdapter, ValidationError

from qiki.contracts.fields import Vector
from qiki.errors import QikiError, UserError
from qiki.runtime.dead_letters import MAX_REASON, Stored, bury, reason_text


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("two\nlines  and\ttabs", "two lines and tabs"),
        (UserError("one of ours"), "one of ours"),
        (QikiError("another"), "another"),
        (ValueError("of Python"), "ValueError: of Python"),
        (IndexError(), "IndexError:"),
        ("half a pair \ud800", "half a pair ?"),
    ],
)
def test_a_reason_is_one_line_that_a_header_can_carry(reason: str | Exception, text: str):
    assert reason_text(reason) == text


def test_a_reason_is_short_however_long_the_text():
    assert len(reason_text("x" * 1_000_000)) == len(reason_text(ValueError("x" * 1_000_000))) == MAX_REASON


def test_the_reason_of_an_invalid_body_is_its_first_fault():
    with pytest.raises(ValidationError) as invalid:
        TypeAdapter(list[Vector]).validate_json(f"[{','.join(['{}'] * 1000)}]")
    assert reason_text(invalid.value) == "ValidationError: 0.x: Field required (and 2999 more)"


class Window:
    """Takes bodies of up to four bytes."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> int:
        if len(body) > 4:
            raise nats.errors.MaxPayloadError
        self.stored.append((subject, body, headers))
        return 1


@pytest.mark.parametrize(("body", "kept"), [(b"1234", b"1234"), (b"12345", b"")])
def test_a_letter_has_the_bytes_that_fit_and_always_the_origin(body: bytes, kept: bytes):
    window = Window()
    asyncio.run(bury(window, Stored("qiki.a", "S", 7, body), "unreadable"))  # type: ignore[arg-type]
    ((subject, stored, headers),) = window.stored
    assert (subject, stored) == ("qiki.dlq.v1.qiki.a", kept)
    assert headers == {
        "Nats-Msg-Id": "S:7",
        "x-qiki-reason": "unreadable",
        "x-qiki-origin-subject": "qiki.a",
        "x-qiki-origin-seq": "7",
    }
