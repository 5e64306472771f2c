"""Waiting for what messages say."""

import asyncio
import time

import pytest

from qiki_harness.smoke.inbox import Inbox


def test_what_has_come_already_is_found_at_once(message):
    inbox = Inbox()
    inbox.take(message("a", b"1"))
    inbox.take(message("b", b"2"))
    found = asyncio.run(inbox.first(lambda one: one.subject == "b", 0.0))
    assert found is inbox.messages[1]


def test_it_looks_again_whenever_one_comes(message):
    async def scene():
        inbox = Inbox()
        waiting = asyncio.create_task(inbox.until(lambda messages: len(messages) if len(messages) > 2 else None, 30))
        for body in (b"1", b"2", b"3"):
            await asyncio.sleep(0)
            assert not waiting.done()
            inbox.take(message("a", body))
        return await waiting

    assert asyncio.run(scene()) == 3


@pytest.mark.parametrize("deadline_s", [0.0, 0.02])
def test_at_the_deadline_there_is_nothing(message, deadline_s):
    inbox = Inbox()
    inbox.take(message("a"))
    began_s = time.monotonic()
    assert asyncio.run(inbox.first(lambda _: False, deadline_s)) is None
    assert time.monotonic() - began_s >= deadline_s
