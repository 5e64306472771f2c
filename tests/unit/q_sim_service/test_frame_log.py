"""The log of frames and its readers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from q_sim_service.frame_log import ENTRY_BYTES, MAX_RUNS, FrameLog
from qiki.radar import Detections
from qiki.world.world import MeasuredFrame

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
SECOND = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = Detections.build(
    measured={name: np.zeros(0) for name in ("range_m", "bearing_deg", "elev_deg", "vr_mps", "snr_db", "rcs_dbsm")},
    claims=np.zeros(0, object),
    sr_threshold_m=5000.0,
)


class Log:
    """A frame log with a clock that the test turns, filled by the run and number."""

    def __init__(self, max_bytes: int = 4_000_000) -> None:
        self.now_s = 0.0
        self.log = FrameLog(lambda: self.now_s, max_bytes)

    def run(self, run: UUID, numbers: range, step_s: float = 0.125) -> None:
        self.log.begin_run(str(run))
        self.more(run, numbers, step_s)

    def more(self, run: UUID, numbers: range, step_s: float = 0.125) -> None:
        for number in numbers:
            self.now_s += step_s
            self.log.append(MeasuredFrame(run, number, number * 0.125, SECOND, NOTHING, (0, 0, 0), (0, 0, 0)))

    def read(self, run: str, after: int | None = None) -> AsyncGenerator[bytes, None]:
        return self.log.read(run, after)


def name(body: bytes) -> tuple[int, int]:
    message = StreamRadarFramesResponse.FromString(body)
    return UUID(message.run_id).int, message.number


async def take(reader: AsyncIterator[bytes], count: int) -> list[tuple[int, int]]:
    return [name(await anext(reader)) for _ in range(count)]


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a coroutine test; whatever waits for ever fails it."""

    def run() -> None:
        async def bounded() -> None:
            async with asyncio.timeout(10):
                await test()

        asyncio.run(bounded())

    run.__name__ = test.__name__
    return run


@pytest.mark.parametrize("run", ["", "unknown", str(THREE)])
def test_an_unknown_run_means_the_current_one_from_its_oldest_frame(run: str):
    async def test() -> None:
        log = Log()
        log.run(ONE, range(3))
        log.run(TWO, range(3))
        assert await take(log.read(run, 77), 3) == [(2, 0), (2, 1), (2, 2)]

    in_loop(test)()


@in_loop
async def test_a_known_run_goes_on_after_the_frame_and_through_later_runs():
    log = Log()
    log.run(ONE, range(4))
    log.run(TWO, range(2))
    log.run(THREE, range(1))
    assert await take(log.read(str(ONE), 1), 5) == [(1, 2), (1, 3), (2, 0), (2, 1), (3, 0)]


@in_loop
async def test_a_known_run_without_a_frame_begins_with_its_oldest():
    log = Log()
    log.run(ONE, range(2))
    log.run(TWO, range(1))
    assert await take(log.read(str(ONE)), 3) == [(1, 0), (1, 1), (2, 0)]


@in_loop
async def test_a_frame_that_is_still_to_come_is_waited_for():
    log = Log()
    log.run(ONE, range(2))
    reader = log.read(str(ONE), 3)
    waiting = asyncio.ensure_future(anext(reader))
    log.more(ONE, range(2, 5))
    assert name(await waiting) == (1, 4)


@in_loop
async def test_a_reader_of_an_empty_log_waits():
    log = Log()
    log.log.begin_run(str(ONE))
    waiting = asyncio.ensure_future(anext(log.read("")))
    await asyncio.sleep(0)
    assert not waiting.done()
    log.more(ONE, range(1))
    assert name(await waiting) == (1, 0)


@in_loop
async def test_every_reader_has_a_place_of_its_own():
    log = Log()
    log.run(ONE, range(3))
    slow, quick = log.read(""), log.read("")
    assert await take(slow, 1) == [(1, 0)]
    assert await take(quick, 3) == [(1, 0), (1, 1), (1, 2)]
    waiting = asyncio.ensure_future(take(quick, 1))
    await asyncio.sleep(0)
    log.more(ONE, range(3, 4))
    assert await waiting == [(1, 3)]
    assert await take(slow, 3) == [(1, 1), (1, 2), (1, 3)]


@in_loop
async def test_frames_are_kept_for_a_minute_and_then_go():
    log = Log()
    log.run(ONE, range(481))
    assert await take(log.read(str(ONE), 0), 1) == [(1, 1)]
    assert await take(log.read(""), 1) == [(1, 0)]
    log.more(ONE, range(481, 484))
    assert await take(log.read(""), 1) == [(1, 3)]


@in_loop
async def test_a_minute_of_simulated_time_is_kept_when_it_takes_longer():
    log = Log()
    log.run(ONE, range(100), step_s=10.0)
    assert await take(log.read(""), 1) == [(1, 0)]


@in_loop
async def test_a_minute_of_wall_time_is_kept_when_simulated_time_flies():
    log = Log()
    log.run(ONE, range(5000), step_s=0.01)
    assert await take(log.read(""), 1) == [(1, 0)]


@in_loop
async def test_frames_of_earlier_runs_go_by_wall_time():
    log = Log()
    log.run(ONE, range(3))
    log.now_s += 61.0
    log.run(TWO, range(1))
    assert await take(log.read(str(ONE), 0), 1) == [(2, 0)]


@in_loop
async def test_memory_is_bounded_and_a_reader_that_fell_behind_goes_on_with_the_oldest_there_is():
    log = Log(max_bytes=2000)
    log.run(ONE, range(1))
    reader = log.read("")
    assert await take(reader, 1) == [(1, 0)]
    log.more(ONE, range(1, 1000))
    _, number = (await take(reader, 1))[0]
    assert 900 < number < 1000
    assert await take(reader, 1) == [(1, number + 1)]


@in_loop
async def test_what_a_small_frame_takes_beside_itself_counts_too():
    log = Log(max_bytes=100_000)
    log.run(ONE, range(1000))
    newest = await anext(log.read(""))
    _, number = (await take(log.read(""), 1))[0]
    assert 100_000 / 2 < (1000 - number) * (len(newest) + ENTRY_BYTES) <= 100_000


@in_loop
async def test_caught_up_waits_for_a_reader_that_is_on_his_way():
    log = Log()
    log.run(ONE, range(5))
    taken: list[tuple[int, int]] = []

    async def read() -> None:
        async for message in log.read(""):
            await asyncio.sleep(0)
            taken.append(name(message))

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    assert await log.log.caught_up(5.0)
    assert len(taken) == 5
    reading.cancel()


@in_loop
async def test_caught_up_does_not_wait_for_ever():
    log = Log()
    log.run(ONE, range(5))
    reader = log.read("")
    await anext(reader)
    assert not await log.log.caught_up(0.0)
    await reader.aclose()
    assert await log.log.caught_up(0.0)


def test_a_closed_log_ends_its_readers_behind_the_newest_frame():
    async def test() -> None:
        log = Log()
        log.run(ONE, range(3))
        reader = log.read(str(ONE))
        assert await take(reader, 3) == [(1, 0), (1, 1), (1, 2)]
        waiting = asyncio.ensure_future(anext(reader, None))
        await asyncio.sleep(0)
        assert not waiting.done()
        log.log.close()
        assert await waiting is None
        assert [name(body) async for body in log.read(str(ONE), 1)] == [(1, 2)]

    asyncio.run(asyncio.wait_for(test(), 30))


def test_of_many_runs_the_oldest_are_forgotten_and_the_others_go_on():
    async def test() -> None:
        log = Log()
        for number in range(3 * MAX_RUNS):
            log.log.begin_run(str(UUID(int=1000 + number)))
        log.run(ONE, range(2))
        assert len(log.log._runs) == MAX_RUNS
        assert await take(log.read(str(ONE), 0), 1) == [(1, 1)]
        assert await take(log.read(str(UUID(int=1000))), 2) == [(1, 0), (1, 1)]

    asyncio.run(test())
