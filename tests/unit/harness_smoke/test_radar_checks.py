"""What frames and telemetry must be for their checks to pass."""

from datetime import UTC, datetime
from importlib import import_module
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME, RUN
from qiki.contracts.models import RadarDetection, RadarFrame
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.radar import first_frame, why_none
from qiki_harness.smoke.checks.tracks import check_seen

SENSOR = UUID("00000000-0000-4000-8000-000000000001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_first_frame_is_the_simulators(watcher, take, message):
    stranger = message(topics.FRAMES.subject, headers={"ce-source": "urn:another:radar"}, sequence=7)
    mine = message(topics.FRAMES.subject, headers={RUN: "a", FRAME: "3"}, sequence=8)
    take(stranger, mine)
    assert first_frame(watcher, watcher.now(), "none").sequence == 8


def test_no_frame_is_explained_by_telemetry_where_it_can_be(watcher, take, message, telemetry, monkeypatch):
    module = import_module("qiki_harness.smoke.checks.radar")
    monkeypatch.setattr(module, "_PATIENCE_S", 0.05)
    with pytest.raises(CheckFailedError, match=r"^none came$"):
        first_frame(watcher, watcher.now(), "none came")
    monkeypatch.setattr(module, "_SILENT_S", 0.0)
    paused = telemetry.sim_state.model_copy(update={"paused": True})
    take(message(topics.TELEMETRY.subject, telemetry.model_copy(update={"sim_state": paused})))
    with pytest.raises(CheckFailedError, match=r"^no frames: the simulation is paused"):
        first_frame(watcher, watcher.now(), "none came")


def test_telemetry_says_why_there_are_no_frames(telemetry):
    assert why_none(telemetry) is None
    paused = telemetry.sim_state.model_copy(update={"paused": True})
    assert "is paused" in why_none(telemetry.model_copy(update={"sim_state": paused}))
    stopped = telemetry.sim_state.model_copy(update={"running": False})
    assert "is stopped" in why_none(telemetry.model_copy(update={"sim_state": stopped}))
    shed = telemetry.power.model_copy(update={"shed_loads": ("nbl", "radar")})
    assert "no power" in why_none(telemetry.model_copy(update={"power": shed}))
    failed = telemetry.sensors | {"radar": {"id": "", "ok": False}}
    assert "failed" in why_none(telemetry.model_copy(update={"sensors": failed}))


@pytest.fixture
def frame(message):
    def make(detections=0):
        plot = RadarDetection(
            range_m=1, bearing_deg=0, elev_deg=0, vr_mps=0, snr_db=20, rcs_dbsm=0, range_band=RadarRangeBand.RR_SR,
            id_present=False,
        )  # fmt: skip
        body = RadarFrame(frame_id=SENSOR, sensor_id=SENSOR, timestamp=NOON, detections=(plot,) * detections)
        return message(topics.FRAMES.subject, body)

    return make


def test_what_is_detected_is_tracked_in_one_frame_at_least(frame):
    assert check_seen([frame()] * 3, 0) == "0 detections gave 0 tracks"
    assert check_seen([frame(1), frame()], 2) == "1 detections gave 2 tracks"
    with pytest.raises(CheckFailedError, match=r"^3 frames with 2 detections gave no track$"):
        check_seen([frame(1), frame(), frame(1)], 0)
