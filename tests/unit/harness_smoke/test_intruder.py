"""The stranger of the guard's check, as another radar sees it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from qiki.contracts.headers import FRAME, RUN, FrameOrigin
from qiki_harness.smoke.intruder import CLOSE_M, FAR_M, PERIOD_S, Radar, approach, departure, headers, stay

SENSOR = UUID("00000000-0000-4000-8000-00000000002a")
BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_it_comes_from_afar_brakes_and_stands_close():
    way = list(approach())
    ranges = [range_m for range_m, _ in way]
    assert FAR_M - 10 < ranges[0] <= FAR_M
    assert ranges == sorted(ranges, reverse=True)
    assert way[-1] == stay() == (CLOSE_M, 0.0)


@pytest.mark.parametrize("way", [list(approach()), [one for one in departure() if one]])
def test_its_range_rate_is_that_of_its_range(way):
    for (range_m, vr_mps), (next_range_m, next_vr_mps) in pairwise(way):
        assert (next_range_m - range_m) / PERIOD_S == pytest.approx((vr_mps + next_vr_mps) / 2, abs=1e-9)


def test_it_leaves_as_far_as_it_came_from_and_then_there_is_nothing():
    way = list(departure())
    seen = [one for one in way if one]
    assert seen[-1][0] == next(approach())[0]
    assert way[len(seen) :] == [None] * (len(way) - len(seen))
    assert len(way) - len(seen) >= 5


def test_frames_are_of_one_sensor_in_order_and_each_has_its_own_id():
    radar = Radar(SENSOR, BEGIN)
    frames = [radar.frame(one) for one in ((100.0, -5.0), None, (99.0, 0.0))]
    assert [frame.timestamp - BEGIN for frame in frames] == [timedelta(seconds=PERIOD_S * n) for n in range(3)]
    assert {frame.sensor_id for frame in frames} == {SENSOR}
    assert len({frame.frame_id for frame in frames}) == 3
    assert [len(frame.detections) for frame in frames] == [1, 0, 1]


def test_nobody_can_take_it_for_the_simulators_radar():
    told = headers(Radar(SENSOR, BEGIN).frame(stay()))
    assert not {RUN, FRAME} & set(told)
    assert FrameOrigin.read(told) is None
    assert told["ce-source"] == "urn:qiki:smoke:radar"
