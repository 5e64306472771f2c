"""The room of a publisher, and its receipts."""

import asyncio

import pytest

from qiki.runtime.publish_room import Receipt, RefusedError, Room


def test_who_waits_gets_room_in_turn_and_nobody_overtakes():
    async def scenario() -> list[str]:
        room, got = Room(2, 100), list[str]()

        async def take(name: str, size: int) -> None:
            if not room.take(1, size):
                await room.wait(size)
            got.append(name)

        await take("first", 90)
        tasks = [asyncio.create_task(take(name, size)) for name, size in (("large", 80), ("small", 5))]
        await asyncio.sleep(0)
        assert got == ["first"]  # the small one would fit
        room.release(1, 90)
        await asyncio.gather(*tasks)
        return got

    assert asyncio.run(scenario()) == ["first", "large", "small"]


@pytest.mark.parametrize("granted", [False, True])
def test_who_gives_up_leaves_no_room_taken(granted: bool):
    async def scenario() -> None:
        room = Room(1, 100)
        assert room.take(1, 10)
        waiting = asyncio.create_task(room.wait(20))
        await asyncio.sleep(0)
        if granted:
            room.release(1, 10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if not granted:
            room.release(1, 10)
        assert (room.messages, room.size) == (0, 0)
        assert room.take(1, 100)

    asyncio.run(scenario())


def test_a_receipt_waits_for_all_and_fails_for_one():
    async def scenario() -> None:
        receipt = Receipt(3)
        receipt.settle()
        receipt.settle(RefusedError("too large"))
        assert not receipt.stored.done()
        receipt.settle()
        with pytest.raises(RefusedError, match="too large"):
            await receipt.stored
        assert Receipt(0).stored.done()

    asyncio.run(scenario())
