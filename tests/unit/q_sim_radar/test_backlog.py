"""Frames that wait for NATS: bounded, in order, and what did not fit is known."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from q_sim_radar.backlog import AWAY, LATE, OVERFLOW, REFUSED, Backlog, Gap, Waiting, gaps_before
from q_sim_radar.messages import Measured
from q_sim_radar.source import conflict
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.radar import RadarFrame

ONE, OTHER = "6f1c3d1e-0000-4000-8000-000000000001", "6f1c3d1e-0000-4000-8000-000000000002"
ZERO = (0.0, 0.0, 0.0)


def measured(number: int, run: str = ONE) -> Measured:
    frame = RadarFrame(frame_id=UUID(run), sensor_id=UUID(run), timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    return Measured(frame, FrameOrigin(run, number, ZERO, ZERO))


def test_frames_come_out_as_they_went_in_and_the_oldest_goes_when_it_is_full():
    async def scenario() -> list[int]:
        backlog = Backlog(3)
        for number in range(5):
            backlog.put(measured(number))
        assert len(backlog) == 3
        backlog.close()
        numbers = []
        while (one := await backlog.take()) is not None:
            numbers.append(one.measured.origin.frame)
        return numbers

    assert asyncio.run(scenario()) == [2, 3, 4]


def test_who_takes_waits_for_a_frame_or_the_end():
    async def scenario() -> None:
        backlog = Backlog(3)
        taking = asyncio.create_task(backlog.take())
        await asyncio.sleep(0)
        assert not taking.done()
        backlog.put(measured(0))
        assert await taking == Waiting(measured(0), [])
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
    assert gaps_before(Waiting(measured(number, run), []), last) == gaps


def told(limit: int, last: tuple[str, int] | None, *received: tuple[str, int, bool]) -> list[Gap]:
    """The gaps that a backlog tells, taken when all has been received: run, number, whether it may be published."""

    async def scenario() -> list[Gap]:
        gaps, before = [], last
        backlog = Backlog(limit)
        for run, number, good in received:
            if good:
                backlog.put(measured(number, run))
            else:
                backlog.refuse(run, number)
        backlog.close()
        while (one := await backlog.take()) is not None:
            gaps += gaps_before(one, before)
            before = (one.measured.origin.run, one.measured.origin.frame)
        return gaps

    return asyncio.run(scenario())


def test_a_refused_frame_is_told_as_such():
    received = [(ONE, number, number not in {2, 3, 5}) for number in range(7)]
    assert told(10, None, *received) == [Gap(ONE, 2, 3, REFUSED), Gap(ONE, 5, 5, REFUSED)]


def test_what_did_not_fit_is_told_as_one():
    assert told(3, (ONE, 4), *((ONE, number, True) for number in range(5, 15))) == [Gap(ONE, 5, 11, OVERFLOW)]


def test_each_reason_is_told_for_its_own_frames():
    received = [(ONE, 7, True), (ONE, 8, False), (ONE, 9, True), (ONE, 12, True), (ONE, 13, True)]
    assert told(2, (ONE, 4), *received) == [
        Gap(ONE, 5, 6, AWAY),
        Gap(ONE, 7, 7, OVERFLOW),
        Gap(ONE, 8, 8, REFUSED),
        Gap(ONE, 9, 9, OVERFLOW),
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
