"""Completion: in the order of the frames, each stage only after what must be stored before it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import nats.errors
import pytest

from faststream_bridge.completion import FRAMES, Completion, Job
from qiki.contracts.headers import Message


class Broker:
    """Stores what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.stores: dict[str, asyncio.Future[None]] = {}

    async def publish(self, _subject: str, body: bytes, _headers: Mapping[str, str]) -> "asyncio.Future[None]":
        self.told.append(f"publish {body.decode()}")
        return self.stores.setdefault(body.decode(), asyncio.get_running_loop().create_future())

    def acknowledger(self, sequence: int) -> Callable[[], Awaitable[None]]:
        async def acknowledge() -> None:
            self.told.append(f"acknowledge {sequence}")

        return acknowledge

    def keep(self, snapshot: bytes) -> None:
        self.told.append(f"keep {snapshot.decode()}")


async def settled() -> None:
    """Let every task run until it waits for something."""
    for _ in range(10):
        await asyncio.sleep(0)


def job(broker: Broker, sequence: int, stored: "asyncio.Future[None]", snapshot: bytes | None = None) -> Job:
    announcement = Message("tracked", str(sequence).encode(), {})
    return Job(sequence, broker.acknowledger(sequence), (stored,), announcement, snapshot)


def run(scenario: Callable[[Broker, Completion], Awaitable[None]]) -> None:
    async def main() -> None:
        broker = Broker()
        completion = Completion(broker, broker.keep)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        await scenario(broker, completion)
        finishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await finishing

    asyncio.run(main())


def test_announced_when_the_tracks_are_stored_and_acknowledged_when_that_is():
    async def scenario(broker: Broker, completion: Completion) -> None:
        track = asyncio.get_running_loop().create_future()
        completion.add(job(broker, 5, track, snapshot=b"state"))
        await settled()
        assert broker.told == []
        track.set_result(None)
        await settled()
        assert broker.told == ["publish 5"]
        broker.stores["5"].set_result(None)
        await completion.drained()
        assert broker.told == ["publish 5", "acknowledge 5", "keep state"]

    run(scenario)


def test_a_frame_is_announced_when_its_tracks_and_its_estimates_are_stored():
    async def scenario(broker: Broker, completion: Completion) -> None:
        tracks, estimates = (asyncio.get_running_loop().create_future() for _ in range(2))
        one = job(broker, 5, tracks)
        one.stored = (tracks, estimates)
        completion.add(one)
        tracks.set_result(None)
        await settled()
        assert broker.told == []
        estimates.set_result(None)
        await settled()
        assert broker.told == ["publish 5"]
        broker.stores["5"].set_result(None)
        await completion.drained()

    run(scenario)


def test_a_later_frame_that_is_stored_earlier_waits_its_turn():
    async def scenario(broker: Broker, completion: Completion) -> None:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        completion.add(job(broker, 1, first))
        completion.add(job(broker, 2, second))
        second.set_result(None)
        await settled()
        assert broker.told == []
        first.set_result(None)
        await settled()
        assert broker.told == ["publish 1", "publish 2"]
        broker.stores["2"].set_result(None)
        await settled()
        assert broker.told == ["publish 1", "publish 2"]
        broker.stores["1"].set_result(None)
        await completion.drained()
        assert broker.told[2:] == ["acknowledge 1", "acknowledge 2"]

    run(scenario)


def test_a_frame_that_was_announced_before_is_only_acknowledged():
    async def scenario(broker: Broker, completion: Completion) -> None:
        completion.add(Job(3, acknowledge=broker.acknowledger(3)))
        await completion.drained()
        assert broker.told == ["acknowledge 3"]

    run(scenario)


def test_an_acknowledgement_that_does_not_arrive_stops_nothing():
    async def refuse() -> None:
        raise nats.errors.ConnectionClosedError

    async def scenario(broker: Broker, completion: Completion) -> None:
        completion.add(Job(3, acknowledge=refuse))
        completion.add(Job(4, acknowledge=broker.acknowledger(4)))
        await completion.drained()
        assert broker.told == ["acknowledge 4"]

    run(scenario)


def test_the_error_of_a_step_ends_it():
    async def main() -> None:
        completion = Completion(Broker(), lambda _: None)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        completion.fail(ArithmeticError("of the tracker"))
        completion.fail(ArithmeticError("of the next one"))
        with pytest.raises(ExceptionGroup) as caught:
            await finishing
        assert [str(one) for one in caught.value.exceptions] == ["of the tracker"]

    asyncio.run(main())


def test_no_more_frames_are_in_flight_than_there_is_room_for():
    async def scenario(broker: Broker, completion: Completion) -> None:
        stored = asyncio.get_running_loop().create_future()
        for sequence in range(FRAMES):
            await completion.room()
            completion.add(job(broker, sequence, stored))
        another = asyncio.create_task(completion.room())
        await settled()
        assert not another.done()
        stored.set_result(None)
        await settled()
        broker.stores["0"].set_result(None)
        await another
        for future in broker.stores.values():
            future.done() or future.set_result(None)
        await completion.drained()

    run(scenario)
