"""What frames and telemetry must be for their checks to pass."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME, MESSAGE_ID, RUN, FrameOrigin
from qiki.contracts.ids import run_frame_id
from qiki.contracts.radar import RadarDetection, RadarFrame, TrackedFrame
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.radar import check_seen, next_frames, radar, tracks, why_none

SENSOR = UUID("00000000-0000-4000-8000-000000000001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def impatient(monkeypatch):
    """Checks that give up at once."""
    for name, seconds in (("_PATIENCE_S", 0.05), ("_SILENT_S", 0.0)):
        monkeypatch.setitem(next_frames.__globals__, name, seconds)


def test_the_next_frames_are_the_simulators(watcher, take, message):
    stranger = message(topics.FRAMES.subject, headers={"ce-source": "urn:another:radar"}, sequence=7)
    mine = [message(topics.FRAMES.subject, headers={RUN: "a", FRAME: str(n)}, sequence=n) for n in range(8, 19)]
    take(stranger, *mine)
    assert [frame.sequence for frame in next_frames(watcher, watcher.now(), "none")] == list(range(8, 18))


@pytest.mark.usefixtures("impatient")
def test_no_frame_is_explained_by_telemetry_where_it_can_be(watcher, take, message, telemetry):
    with pytest.raises(CheckFailedError, match=r"^none came$"):
        next_frames(watcher, watcher.now(), "none came")
    paused = telemetry.sim_state.model_copy(update={"paused": True})
    take(message(topics.TELEMETRY.subject, telemetry.model_copy(update={"sim_state": paused})))
    with pytest.raises(CheckFailedError, match=r"^no frames: the simulation is paused"):
        next_frames(watcher, watcher.now(), "none came")


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
def stored(message):
    """A frame without detections on its three subjects, and its TrackedFrame."""

    def make(run_id, number):
        identity = run_frame_id(run_id, number)
        frame = RadarFrame(frame_id=identity, sensor_id=SENSOR, timestamp=NOON)
        origin = FrameOrigin(str(run_id), number, (0, 0, 0), (0, 0, 0))
        tracked = TrackedFrame(run_id=str(run_id), frame_id=identity, frame=number, timestamp=NOON, tracks=0)
        place = {MESSAGE_ID: f"{run_id}:{number}:tracked", RUN: str(run_id), FRAME: str(number)}
        bands = [
            message(topic.subject, frame, origin.headers(band, "2026-11-23T12:00:00Z"))
            for band, topic in FRAMES_BY_BAND.items()
        ]
        return [*bands, message(topics.TRACKED.subject, tracked, place)]

    return make


RUNS = UUID(int=1), UUID(int=2)


def test_a_run_that_is_reset_while_it_is_looked_at_is_no_fault(watcher, take, stored):
    for run_id, numbers in zip(RUNS, (range(5, 9), range(6)), strict=True):
        for number in numbers:
            take(*stored(run_id, number))
    assert radar(watcher).startswith("frames 5 to 5 on 3 subjects, ")
    assert tracks(watcher).startswith("10 frames with 0 detections gave 0 tracks, ")


@pytest.mark.parametrize(
    ("numbers", "fault"), [(range(1, 7), r"missing \[0\]"), ((0, 1, 2, 4, 5, 6), r"missing \[3\]")]
)
def test_a_new_run_begins_with_its_first_frame_and_has_no_gap(watcher, take, stored, numbers, fault):
    for run_id, those in zip(RUNS, (range(5, 9), numbers), strict=True):
        for number in those:
            take(*stored(run_id, number))
    for check in (radar, tracks):
        with pytest.raises(AssertionError, match=fault):
            check(watcher)


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
