"""The stranger of the guard's check: its way, its frames, and that it leaves whatever happens."""

import threading
from itertools import pairwise

import pytest

from qiki.contracts.headers import FRAME, RUN, FrameOrigin
from qiki.contracts.radar import RadarFrame
from qiki_harness.errors import DeadlineError
from qiki_harness.smoke.stranger import CLOSE_M, EMPTY_FRAMES, FAR_M, PERIOD_S, STAY, approach, close_by, departure
from qiki_harness.twin.history import InterruptedWaitError

WAY_IN, WAY_OUT = len(list(approach())), len(list(departure()))


class Stream:
    """Keeps what is stored; it may refuse one frame, or interrupt the check at one."""

    def __init__(self, refused=None, interrupted=None):
        self.frames = []
        self.headers = []
        self.refusal = threading.Event()
        self._refused = refused
        self._interrupted = interrupted

    def store(self, _, body, headers):
        self.frames.append(RadarFrame.from_json(body))
        self.headers.append(headers)
        if len(self.frames) == self._refused:
            self.refusal.set()
            raise DeadlineError

    def check_interrupted(self):
        if self._interrupted is not None and len(self.frames) >= self._interrupted:
            raise InterruptedWaitError

    @property
    def ranges_m(self):
        return [frame.detections[0].range_m if frame.detections else None for frame in self.frames]


def has_left(stream):
    gone = stream.ranges_m[-WAY_OUT:]
    assert gone[0] == CLOSE_M
    assert gone[-EMPTY_FRAMES - 1] > CLOSE_M
    return gone[-EMPTY_FRAMES:] == [None] * EMPTY_FRAMES


def test_it_comes_from_afar_brakes_and_stands_close():
    way = list(approach())
    ranges = [range_m for range_m, _ in way]
    assert FAR_M - 10 < ranges[0] <= FAR_M
    assert ranges == sorted(ranges, reverse=True)
    assert way[-1] == STAY == (CLOSE_M, 0.0)


@pytest.mark.parametrize("way", [list(approach()), [one for one in departure() if one]])
def test_its_range_rate_is_that_of_its_range(way):
    for (range_m, vr_mps), (next_range_m, next_vr_mps) in pairwise(way):
        assert (next_range_m - range_m) / PERIOD_S == pytest.approx((vr_mps + next_vr_mps) / 2, abs=1e-9)


def test_it_leaves_as_far_as_it_came_from_and_then_there_is_nothing():
    way = list(departure())
    seen = [one for one in way if one]
    assert seen[-1][0] == next(approach())[0]
    assert way[len(seen) :] == [None] * EMPTY_FRAMES
    assert EMPTY_FRAMES >= 5


def test_frames_are_of_one_sensor_in_order_and_each_has_its_own_id():
    stream = Stream()
    with close_by(stream) as run:
        pass
    assert {str(frame.sensor_id) for frame in stream.frames} == {run}
    assert len({frame.frame_id for frame in stream.frames}) == len(stream.frames)
    for before, after in pairwise(stream.frames):
        assert (after.timestamp - before.timestamp).total_seconds() == pytest.approx(PERIOD_S)


def test_nobody_can_take_it_for_the_simulators_radar():
    stream = Stream()
    with close_by(stream):
        pass
    for headers in stream.headers:
        assert not {RUN, FRAME} & set(headers)
        assert FrameOrigin.read(headers) is None
        assert headers["ce-source"] == "urn:qiki:smoke:radar"


def test_it_leaves_when_the_check_is_over_or_fails():
    over, failed = Stream(), Stream()
    with close_by(over):
        pass
    with pytest.raises(ZeroDivisionError), close_by(failed):
        raise ZeroDivisionError
    assert has_left(over)
    assert has_left(failed)


@pytest.mark.parametrize("frames", [1, WAY_IN // 2])
def test_it_leaves_when_it_is_interrupted_on_its_way(frames):
    stream = Stream(interrupted=frames)
    with pytest.raises(InterruptedWaitError), close_by(stream):
        pytest.fail("it has come close")
    assert len(stream.frames) == frames + WAY_OUT
    assert has_left(stream)


@pytest.mark.parametrize("refused", [WAY_IN // 2, WAY_IN + 1], ids=["on its way", "while it stays"])
def test_it_leaves_when_a_frame_of_it_is_not_taken(refused):
    stream = Stream(refused=refused)
    with pytest.raises(DeadlineError), close_by(stream):
        stream.refusal.wait(timeout=20)
    assert has_left(stream)
