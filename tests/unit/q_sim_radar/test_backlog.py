"""Frames that wait for NATS: bounded, in order, and what did not fit is known."""

import asyncio
import tracemalloc

import pytest

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.radar.v1.radar_pb2 import RadarDetection
from q_sim_radar import backlog as backlog_module
from q_sim_radar.backlog import AWAY, LATE, OVERFLOW, REFUSED, Backlog, Gap, Waiting, gaps_before
from q_sim_radar.source import conflict

ONE, OTHER = "6f1c3d1e-0000-4000-8000-000000000001", "6f1c3d1e-0000-4000-8000-000000000002"


def message(number: int, run: str = ONE, detections: int = 0) -> Waiting:
    """A frame of the simulator; nothing but its place and its size matter here."""
    response = StreamRadarFramesResponse(run_id=run, number=number, own_position=(0, 0, 0), own_velocity=(0, 0, 0))
    response.frame.sensor_id.value = response.frame.frame_id.value = run
    response.frame.schema_version = 1
    response.frame.detections.extend([RadarDetection(range_m=1.5, bearing_deg=2.5, snr_db=3.5)] * detections)
    return Waiting.received(response.SerializeToString(), {})


SIZE = message(1).size
"""What a frame without a detection counts, its number above 0 and below 128."""


async def left(backlog: Backlog) -> list[int]:
    backlog.close()
    numbers = []
    while (one := await backlog.take()) is not None:
        numbers.append(one.read().origin.frame)
    return numbers


def test_frames_come_out_as_they_went_in_and_the_oldest_goes_when_it_is_full():
    backlog = Backlog(3 * SIZE)
    for number in range(1, 6):
        backlog.put(message(number))
    assert len(backlog) == 3
    assert asyncio.run(left(backlog)) == [3, 4, 5]


def test_a_large_frame_takes_the_room_of_many_and_is_kept_however_large():
    backlog = Backlog(3 * SIZE)
    for number in range(1, 4):
        backlog.put(message(number))
    backlog.put(message(4, detections=100))
    assert asyncio.run(left(backlog)) == [4]


def test_room_that_was_made_is_used():
    async def scenario() -> list[int]:
        backlog = Backlog(3 * SIZE)
        for number in range(1, 20):
            backlog.put(message(number))
            await backlog.take()
        for number in range(20, 23):
            backlog.put(message(number))
        return await left(backlog)

    assert asyncio.run(scenario()) == [20, 21, 22]


@pytest.mark.parametrize("detections", [0, 200])
def test_it_takes_no_more_memory_than_it_may(detections: int):
    backlog = Backlog(1_000_000)
    size = message(0, detections=detections).size
    tracemalloc.start()
    try:
        for number in range(3_000_000 // size):
            backlog.put(message(number, detections=detections))
        ours = [tracemalloc.Filter(True, file) for file in (__file__, backlog_module.__file__)]  # no other thread's
        taken = sum(one.size for one in tracemalloc.take_snapshot().filter_traces(ours).statistics("filename"))
    finally:
        tracemalloc.stop()
    assert 400_000 < taken < 1_000_000


def test_who_takes_waits_for_a_frame_or_the_end():
    async def scenario() -> None:
        backlog = Backlog(3 * SIZE)
        taking = asyncio.create_task(backlog.take())
        await asyncio.sleep(0)
        assert not taking.done()
        backlog.put(message(0))
        assert await taking == message(0)
        taking = asyncio.create_task(backlog.take())
        await asyncio.sleep(0)
        backlog.close()
        assert await taking is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("number", "run", "last", "gaps"),
    [
        (5, ONE, (ONE, 4), []),
        (7, ONE, (ONE, 4), [Gap(ONE, 5, 6, AWAY)]),
        (4, ONE, (ONE, 4), []),
        (0, OTHER, (ONE, 4), []),
        (3, OTHER, (ONE, 4), [Gap(OTHER, 0, 2, LATE)]),
        (9, ONE, None, [Gap(ONE, 0, 8, LATE)]),
        (0, ONE, None, []),
    ],
)
def test_what_never_came_before_a_frame(number: int, run: str, last: tuple[str, int] | None, gaps: list[Gap]):
    assert gaps_before(Waiting(run, number, b""), last) == gaps


def told(room: int, last: tuple[str, int] | None, *received: tuple[str, int, bool]) -> list[Gap]:
    """The gaps that a backlog for so many frames tells, taken when all has been received.

    Each frame is a run, a number, and whether it may be published.
    """

    async def scenario() -> list[Gap]:
        gaps, before = [], last
        backlog = Backlog(room * SIZE)
        for run, number, _ in received:
            backlog.put(message(number, run))
        backlog.close()
        good = {(run, number) for run, number, good in received if good}
        while (one := await backlog.take()) is not None:
            if (one.run, one.number) not in good:
                backlog.refuse(one)
                continue
            gaps += gaps_before(one, before)
            before = (one.run, one.number)
        return gaps

    return asyncio.run(scenario())


def test_a_refused_frame_is_told_as_such():
    received = [(ONE, number, number not in {2, 3, 5}) for number in range(7)]
    assert told(10, None, *received) == [Gap(ONE, 2, 3, REFUSED), Gap(ONE, 5, 5, REFUSED)]


def test_what_did_not_fit_is_told_as_one():
    assert told(3, (ONE, 4), *((ONE, number, True) for number in range(5, 15))) == [Gap(ONE, 5, 11, OVERFLOW)]


def test_each_reason_is_told_for_its_own_frames():
    received = [(ONE, 7, True), (ONE, 8, False), (ONE, 9, False), (ONE, 12, True), (ONE, 13, True)]
    assert told(3, (ONE, 4), *received) == [
        Gap(ONE, 5, 6, AWAY),
        Gap(ONE, 7, 8, OVERFLOW),
        Gap(ONE, 9, 9, REFUSED),
        Gap(ONE, 10, 11, AWAY),
    ]


def test_the_end_of_a_run_is_told_when_the_next_one_begins():
    received = [(ONE, 5, True), (ONE, 6, False), (OTHER, 0, False), (OTHER, 1, True)]
    assert told(9, (ONE, 4), *received) == [Gap(ONE, 6, 6, REFUSED), Gap(OTHER, 0, 0, REFUSED)]


@pytest.mark.parametrize(
    ("place", "after", "wrong"),
    [
        ({"x-qiki-run": ONE, "x-qiki-frame": "40"}, (ONE, 40), False),
        ({"x-qiki-run": ONE, "x-qiki-frame": "41"}, (ONE, 40), False),
        ({"x-qiki-run": ONE, "x-qiki-frame": "3"}, (ONE, 40), True),
        ({"x-qiki-run": ONE}, (ONE, 0), True),
        ({"x-qiki-run": OTHER, "x-qiki-frame": "3"}, (ONE, 40), False),
        ({"x-qiki-run": ONE}, None, False),
        ({}, (ONE, 40), False),
    ],
)
def test_a_run_that_is_begun_again_is_noticed(place: dict[str, str], after: tuple[str, int] | None, wrong: bool):
    problem = conflict(place, after)
    assert (problem is not None) is wrong
    if problem is not None:
        assert "give another QIKI_RUN_ID or a fresh run folder" in problem
