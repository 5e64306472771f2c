"""Frames as a radar stores them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from faststream_bridge.frames import StoredFrame
from faststream_bridge.runs import Runs
from qiki.contracts.enums import FriendFoe
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarDetection, RadarFrame
from qiki.guard import load_rules
from qiki.tracking import TrackerParameters

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
HOVERS = RadarDetection(range_m=60, bearing_deg=200, elev_deg=1, vr_mps=0, snr_db=25, rcs_dbsm=3, range_band=2)


def frame(number: int, sensor: UUID = RADAR_SENSOR_ID) -> RadarFrame:
    return RadarFrame(
        frame_id=run_frame_id(RUN, number),
        sensor_id=sensor,
        timestamp=EPOCH + timedelta(seconds=0.1 * number),
        detections=(HOVERS,),
    )


@pytest.fixture
def stored() -> Callable[..., StoredFrame]:
    """The frame of a run; or of another radar, with run None."""

    def make(number: int, run: str | None = str(RUN), sensor: UUID = RADAR_SENSOR_ID, **own: object) -> StoredFrame:
        zero = (0.0, 0.0, 0.0)
        origin = None if run is None else FrameOrigin(run, number, zero, zero, {"F-1": FriendFoe.FRIEND})
        return StoredFrame(frame(number, sensor).model_copy(update=own), origin)

    return make


@pytest.fixture
def make_runs() -> Callable[[], Runs]:
    rules = load_rules()
    return lambda: Runs(TrackerParameters(), rules)
