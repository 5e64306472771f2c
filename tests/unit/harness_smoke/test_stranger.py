"""Whatever happens, the stranger leaves."""

import asyncio
from types import SimpleNamespace

import nats.errors
import pytest

from qiki.contracts.models import RadarFrame
from qiki_harness.smoke.intruder import CLOSE_M, EMPTY_FRAMES, approach, departure
from qiki_harness.smoke.stranger import close_by

WAY_IN, WAY_OUT = len(list(approach())), len(list(departure()))


class Stream:
    """Keeps what is stored, and may refuse one frame."""

    def __init__(self, refused=None):
        self.ranges_m = []
        self.reached = asyncio.Event()
        self._refused = refused

    async def publish(self, _, body, **__):
        await asyncio.sleep(0)
        frame = RadarFrame.from_json(body)
        self.ranges_m.append(frame.detections[0].range_m if frame.detections else None)
        if len(self.ranges_m) == self._refused:
            self.reached.set()
            raise nats.errors.TimeoutError

    @property
    def session(self):
        return SimpleNamespace(jetstream=self)


def has_left(stream):
    gone = stream.ranges_m[-WAY_OUT:]
    assert gone[0] == CLOSE_M
    assert gone[-EMPTY_FRAMES - 1] > CLOSE_M
    return gone[-EMPTY_FRAMES:] == [None] * EMPTY_FRAMES


def test_when_the_check_is_over_or_fails():
    async def scene(error):
        stream = Stream()
        with pytest.raises(type(error)):
            async with close_by(stream.session):
                raise error
        return stream

    for error in (ZeroDivisionError(), asyncio.CancelledError()):
        assert has_left(asyncio.run(scene(error)))


def test_when_it_is_ended_on_its_way():
    async def visit(stream):
        async with close_by(stream.session):
            await asyncio.Event().wait()  # until it is ended

    async def scene(frames):
        stream = Stream()
        task = asyncio.create_task(visit(stream))
        while len(stream.ranges_m) < frames:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stream

    for frames in (1, WAY_IN // 2, WAY_IN + 1):
        assert has_left(asyncio.run(scene(frames)))


def test_when_a_frame_of_it_is_not_taken():
    async def scene():
        stream = Stream(refused=WAY_IN + 1)
        with pytest.raises(nats.errors.TimeoutError):
            async with close_by(stream.session):
                await stream.reached.wait()
        return stream

    assert has_left(asyncio.run(scene()))
