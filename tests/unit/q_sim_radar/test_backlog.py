"""Frames that wait for NATS: bounded, in order, and what did not fit is known."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from q_sim_radar.backlog import Backlog, Gap, gap_before
from q_sim_radar.messages import Measured
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
            numbers.append(one.origin.frame)
        return numbers

    assert asyncio.run(scenario()) == [2, 3, 4]


def test_who_takes_waits_for_a_frame_or_the_end():
    async def scenario() -> None:
        backlog = Backlog(3)
        taking = asyncio.create_task(backlog.take())
        await asyncio.sleep(0)
        assert not taking.done()
        backlog.put(measured(0))
        assert await taking == measured(0)
        taking = asyncio.create_task(backlog.take())
        await asyncio.sleep(0)
        backlog.close()
        assert await taking is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("number", "run", "last", "gap"),
    [
        (5, ONE, (ONE, 4), None),
        (7, ONE, (ONE, 4), Gap(ONE, 5, 6)),
        (4, ONE, (ONE, 4), None),
        (0, OTHER, (ONE, 4), None),
        (3, OTHER, (ONE, 4), Gap(OTHER, 0, 2)),
        (9, ONE, None, Gap(ONE, 0, 8)),
        (0, ONE, None, None),
    ],
)
def test_what_is_missing_before_a_frame(number: int, run: str, last: tuple[str, int] | None, gap: Gap | None):
    assert gap_before(measured(number, run), last) == gap
