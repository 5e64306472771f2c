"""From a frame to a scan."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.contracts.radar import RadarFrame
from qiki.tracking import ScanError, Tracker, scan_from_frame


def frame_of(*detections: dict[str, Any], timestamp: str = "2026-11-01T10:00:00.123457Z"):
    plain = {"range_m": 100.0, "bearing_deg": 0.0, "elev_deg": 0.0, "vr_mps": 0.0, "snr_db": 20.0, "rcs_dbsm": 0.0}
    return RadarFrame.model_validate(
        {
            "frame_id": "6f1c3d1e-0000-4000-8000-00000000000a",
            "sensor_id": "6f1c3d1e-0000-4000-8000-00000000000b",
            "timestamp": timestamp,
            "detections": [plain | detection for detection in detections],
        }
    )


def test_a_scan_holds_the_frames_values():
    scan = scan_from_frame(
        frame_of(
            {
                "range_m": 800.0,
                "bearing_deg": 90.0,
                "vr_mps": -3.0,
                "transponder_on": True,
                "transponder_mode": 1,
                "transponder_id": "F-1",
            },
            {"elev_deg": 90.0, "range_band": 1},
        ),
        (1.0, 2.0, 3.0),
        (4.0, 5.0, 6.0),
    )
    np.testing.assert_allclose(scan.line_of_sight, [[1, 0, 0], [0, 0, 1]], atol=1e-15)
    assert scan.range_m.tolist() == [800.0, 100.0]
    assert scan.doppler_mps.tolist() == [-3.0, 0.0]
    assert scan.transponder_on.tolist() == [True, False]
    assert scan.transponder_mode.tolist() == [1, 0]
    assert scan.transponder_id == ["F-1", None]
    assert scan.long_range.tolist() == [False, True]
    assert scan.own_position.tolist() == [1, 2, 3]
    assert scan.own_velocity.tolist() == [4, 5, 6]
    assert scan.size == 2


def test_time_is_exact_to_the_microsecond():
    assert scan_from_frame(frame_of(timestamp="1970-01-02T00:00:00.000001Z")).t_us == 86_400_000_001
    assert scan_from_frame(frame_of()).t_us % 1_000_000 == 123_457


def test_an_empty_frame_is_a_scan():
    scan = scan_from_frame(frame_of())
    assert (scan.size, scan.line_of_sight.shape) == (0, (0, 3))


def test_an_empty_claim_is_none():
    assert scan_from_frame(frame_of({"transponder_id": ""})).transponder_id == [None]


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ({"range_m": 1e9}, "detections.1.range_m: 1e+09"),
        ({"vr_mps": -1e300}, "detections.1.vr_mps: -1e+300"),
        ({"snr_db": 1e5}, "detections.1.snr_db: 100000"),
        ({"rcs_dbsm": -1e5}, "detections.1.rcs_dbsm: -100000"),
    ],
)
def test_numbers_beyond_any_radar_are_refused_by_name(detection: dict[str, float], message: str):
    with pytest.raises(ScanError) as caught:
        scan_from_frame(frame_of({}, detection))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("own", [(0, 0), (0, 0, float("nan")), (0, 0, 1e12)])
def test_an_impossible_own_state_is_refused(own: Any):
    with pytest.raises(ScanError, match="own position"):
        scan_from_frame(frame_of(), own)


def test_the_extremes_that_pass_are_tracked_without_a_warning(make_tracker: Callable[..., Tracker]):
    tracker = make_tracker()
    extremes = [
        {"range_m": 1e7, "vr_mps": 1e5, "snr_db": 0.0, "rcs_dbsm": -200.0},
        {"range_m": 0.0, "vr_mps": -1e5, "snr_db": 200.0, "rcs_dbsm": 200.0},
    ]
    for second in range(5):
        frame = frame_of(*extremes, timestamp=f"2026-11-01T10:00:0{second}Z")
        reports = tracker.step(scan_from_frame(frame, (1e10, -1e10, 1e10), (1e4, 0, 0)))
        assert np.isfinite(reports.position_covariance).all()
