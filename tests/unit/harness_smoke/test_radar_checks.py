"""What frames, tracks and telemetry must be for their checks to pass."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand, RadarTrackStatus
from qiki.contracts.headers import FRAME, MESSAGE_ID, RUN
from qiki.contracts.ids import run_frame_id, track_id
from qiki.contracts.models import RadarDetection, RadarFrame, RadarTrack, TrackedFrame
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.radar import FRAMES, check_order, complete, of_simulator, place, why_none
from qiki_harness.smoke.checks.tracks import Followed, check, check_seen
from qiki_harness.twin import UnreadableError

RUN_ID = UUID("00000000-0000-4000-8000-000000000001")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
A, B = "a", "b"


@pytest.fixture
def frame(message):
    def make(number, subject=topics.FRAMES.subject, run=A):
        return message(subject, headers={RUN: run, FRAME: str(number)})

    return make


def test_frames_are_complete_when_each_subject_has_so_many_from_the_first_whole_one_on(frame):
    series = [[], [], [frame(4)]]  # the last is of a frame whose other parts came before
    assert complete(series) is None
    for number in range(5, 5 + FRAMES):
        assert complete(series) is None
        for frames in series:
            frames.append(frame(number))
    found = complete(series)
    assert [[place(one)[1] for one in those] for those in found] == [list(range(5, 5 + FRAMES))] * 3
    assert complete([series[0], series[1][:-1], series[2]]) is None


def test_frames_of_other_radars_do_not_count(frame, message):
    stranger = message(topics.FRAMES.subject, headers={"ce-source": "urn:another:radar"})
    mine = frame(3)
    assert of_simulator([stranger, mine]) == [mine]


@pytest.mark.parametrize("places", [[(A, 7), (A, 8), (A, 9)], [(A, 7), (B, 0), (B, 1)]], ids=["a run", "a new run"])
def test_numbers_that_ascend_by_one_are_in_order(places):
    check_order(places)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([(A, 7), (A, 9)], "frame 7 of run a is followed by 9, expected 8"),
        ([(A, 7), (A, 7)], "followed by 7"),
        ([(A, 7), (A, 6)], "followed by 6"),
        ([(A, 7), (B, 3)], "followed by 3, expected 0"),
    ],
    ids=["gap", "twice", "backwards", "a run's middle"],
)
def test_other_numbers_are_not(places, words):
    with pytest.raises(CheckFailedError, match=words):
        check_order(places)


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
def followed(message):
    """Frame 3 with two tracks."""
    headers = {RUN: str(RUN_ID), FRAME: "3"}
    identity = run_frame_id(RUN_ID, 3)
    frame = RadarFrame(frame_id=identity, sensor_id=RUN_ID, timestamp=NOON)
    tracked = TrackedFrame(run_id=str(RUN_ID), frame_id=identity, frame=3, timestamp=NOON, tracks=2)
    tracks = [
        RadarTrack(
            track_id=track_id(RUN_ID, n), status=RadarTrackStatus.TRACKED, timestamp=NOON,
            range_m=1, bearing_deg=0, elev_deg=0, vr_mps=0, snr_db=0, rcs_dbsm=0,
        )
        for n in range(2)
    ]  # fmt: skip
    return Followed(
        message(topics.FRAMES.subject, frame, headers, 11),
        message(topics.TRACKED.subject, tracked, headers, 12),
        [message(topics.TRACKS.subject, one, headers | {MESSAGE_ID: str(one.track_id)}, 13) for one in tracks],
    )


def test_a_frame_and_what_came_of_it_belong_together(followed):
    check(followed)


def changed(message, **values):
    kind = TrackedFrame if message.subject == topics.TRACKED.subject else RadarTrack
    return replace(message, body=kind.from_json(message.body).model_copy(update=values).to_json())


def test_what_does_not_belong_together_is_found(followed):
    later = NOON.replace(hour=13)
    wrong = [
        (replace(followed, tracked=changed(followed.tracked, frame_id=RUN_ID)), "is not of frame"),
        (replace(followed, tracked=changed(followed.tracked, timestamp=later)), "is not of frame"),
        (replace(followed, tracked=changed(followed.tracked, tracks=1)), "says 1 tracks, stored are 2"),
        (replace(followed, tracks=[followed.tracks[0]] * 2), "says 2 tracks"),
        (replace(followed, tracks=[followed.tracks[0], changed(followed.tracks[1], timestamp=later)]), "is not of"),
        (replace(followed, tracks=[followed.tracks[0], replace(followed.tracks[1], body=b"{}")]), "no RadarTrack"),
    ]
    for one, words in wrong:
        with pytest.raises(UnreadableError, match=words):
            check(one)


def test_what_is_detected_is_tracked_in_one_frame_at_least(followed):
    frame = RadarFrame.from_json(followed.frame.body)
    plot = RadarDetection(
        range_m=1, bearing_deg=0, elev_deg=0, vr_mps=0, snr_db=20, rcs_dbsm=0, range_band=RadarRangeBand.RR_SR,
        id_present=False,
    )  # fmt: skip
    seen = replace(followed.frame, body=frame.model_copy(update={"detections": (plot,)}).to_json())
    unseen = replace(followed, tracks=[])

    assert check_seen([unseen] * 3) == "0 detections gave 0 tracks"
    assert check_seen([replace(followed, frame=seen), unseen]) == "1 detections gave 2 tracks"
    with pytest.raises(CheckFailedError, match=r"^3 frames with 2 detections gave no track$"):
        check_seen([replace(unseen, frame=seen), unseen, replace(unseen, frame=seen)])
