"""What a tracked frame says on the wire."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from faststream_bridge.frames import StoredFrame
from faststream_bridge.runs import Runs
from qiki.clock import parse_rfc3339
from qiki.contracts.enums import ObjectType, RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import GuardCleared
from qiki.contracts.headers import FrameOrigin, Message, on_the_wire
from qiki.contracts.ids import run_frame_id
from qiki.contracts.radar import GuardAlert, RadarDetection, RadarTrack, TrackedFrame
from qiki.guard import load_rules
from qiki.guard.judge import Judgement
from qiki.guard.messages import (
    buried_message,
    encoded_track_messages,
    estimates_messages,
    guard_messages,
    track_messages,
    tracked_message,
)
from qiki.guard.tracked_run import Tracked
from qiki.tracking import TrackerParameters

RUN = "6f1c3d1e-0000-4000-8000-000000000001"
NOW = "2026-01-02T00:00:00.000000Z"


@pytest.fixture
def steps(make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]) -> list[Tracked]:
    """Thirty frames of somebody unknown who hovers at 60 m."""
    runs = make_runs()
    return [one for one in (runs.step(stored(number)) for number in range(30)) if one is not None]


def test_a_track_is_one_message_with_the_contracts_headers(steps: list[Tracked]):
    (message,) = track_messages(steps[3], NOW)
    track = RadarTrack.from_json(message.body)
    message_id = f"{RUN}:3:{track.track_id}"
    assert message.subject == "qiki.radar.v1.tracks"
    assert message.headers == {
        "Nats-Msg-Id": message_id,
        "ce-specversion": "1.0",
        "ce-id": message_id,
        "ce-type": "qiki.radar.v1.Track",
        "ce-source": "urn:qiki:faststream-bridge:radar",
        "ce-time": "2026-01-01T00:00:00.300000Z",
        "content-type": "application/json",
        "x-qiki-run": RUN,
        "x-qiki-frame": "3",
    }


def test_a_tracks_body_equals_that_of_its_model(steps: list[Tracked]):
    """The bridge writes rows without the model, for speed: they must not drift apart."""
    for step in steps:
        for message in track_messages(step, NOW):
            assert json.loads(message.body) == json.loads(RadarTrack.from_json(message.body).to_json())
            assert list(json.loads(message.body)) == list(RadarTrack.model_fields)


def test_encoded_messages_are_the_same_messages(
    make_runs: Callable[[], Runs], beside_a_station: list[StoredFrame], steps: list[Tracked]
):
    runs = make_runs()
    typed = [step for step in map(runs.step, beside_a_station) if step is not None]
    blocks = set()
    for step in [*steps, *typed]:
        messages = encoded_track_messages(step, NOW)
        assert messages == [on_the_wire(message) for message in track_messages(step, NOW)]
        blocks |= {b"x-qiki-type-confidence: 0.9" in message.head for message in messages}
    assert blocks == {True, False}


def test_the_same_frame_again_gives_the_same_ids(
    steps: list[Tracked], make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]
):
    again = make_runs().step(stored(0))
    assert again is not None
    assert ids(track_messages(again, "another time")) == ids(track_messages(steps[0], NOW))


def test_estimates_have_the_contracts_headers(steps: list[Tracked]):
    (message,) = estimates_messages(steps[3])
    assert message.subject == "qiki.estimates.v1.tracks"
    assert message.headers == {
        "Nats-Msg-Id": f"{RUN}:3:1",
        "ce-specversion": "1.0",
        "ce-id": f"{RUN}:3:1",
        "ce-type": "qiki.estimates.v1.TrackEstimates",
        "ce-source": "urn:qiki:faststream-bridge:radar",
        "ce-time": "2026-01-01T00:00:00.300000Z",
        "content-type": "application/json",
        "x-qiki-run": RUN,
        "x-qiki-frame": "3",
    }
    part = TrackEstimates.from_json(message.body)
    assert (part.run_id, part.frame, part.part, part.parts) == (RUN, 3, 1, 1)


def test_estimates_are_where_the_tracks_are_and_in_their_order(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]
):
    """The bot flies: its own state is taken off, as from the tracks. A track that is lost has no estimate."""
    runs, lost = make_runs(), 0
    for number in range(40):
        own = FrameOrigin(RUN, number, (5.0 * number, 7.0, 1.0), (50.0, 0.0, 0.0))
        plots = (*stored(number).frame.detections, DEPOT) if number < 10 else ()
        tracked = runs.step(StoredFrame(stored(number, detections=plots).frame, own))
        assert tracked is not None
        tracks = [RadarTrack.from_json(message.body) for message in track_messages(tracked, NOW)]
        lost += sum(track.status is RadarTrackStatus.LOST for track in tracks)
        live = [track for track in tracks if track.status is not RadarTrackStatus.LOST]
        (part,) = (TrackEstimates.from_json(message.body) for message in estimates_messages(tracked))
        assert [one.track_id for one in part.tracks] == [track.track_id for track in live]
        for one, track in zip(part.tracks, live, strict=True):
            assert one.state[:3] == pytest.approx([track.position.x, track.position.y, track.position.z], abs=1e-6)
            assert one.state[3:6] == pytest.approx([track.velocity.x, track.velocity.y, track.velocity.z], abs=1e-6)
            places = [one.covariance[place] for place in (0, 1, 2, 9, 10, 17)]
            assert places == pytest.approx(track.position_covariance, rel=1e-5)
            assert one.existence == track.quality
    assert lost == 2


def test_estimates_of_a_frame_delivered_again_are_the_same_messages(
    steps: list[Tracked], make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]
):
    again = make_runs().step(stored(0))
    assert again is not None
    assert estimates_messages(again) == estimates_messages(steps[0])


def test_the_notice_counts_the_parts(steps: list[Tracked]):
    assert tracked_message(steps[3], 1, 2).headers["x-qiki-estimates"] == "2"


def test_estimates_that_nobody_wants_are_not_made(stored: Callable[..., StoredFrame]):
    tracked = Runs(TrackerParameters(), load_rules(), estimates=False).step(stored(0))
    assert tracked is not None
    assert tracked.estimates is None
    assert estimates_messages(tracked) == []
    assert tracked_message(tracked, 1).headers["x-qiki-estimates"] == "0"


DEPOT = RadarDetection(
    range_m=900,
    bearing_deg=20,
    elev_deg=1,
    vr_mps=0,
    snr_db=30,
    rcs_dbsm=34,
    transponder_on=True,
    transponder_mode=TransponderMode.ON,
    transponder_id="F-1",
    range_band=RadarRangeBand.RR_SR,
)


@pytest.fixture
def beside_a_station(stored: Callable[..., StoredFrame]) -> list[StoredFrame]:
    """Thirty frames of somebody unknown, whose type is never known, and of a station that answers."""
    return [stored(number, detections=(*stored(number).frame.detections, DEPOT)) for number in range(30)]


def sent(runs: Runs, frames: list[StoredFrame]) -> list[Message]:
    return [message for frame in frames if (step := runs.step(frame)) for message in track_messages(step, NOW)]


def test_the_confidence_travels_exactly_where_a_type_is_said(
    make_runs: Callable[[], Runs], beside_a_station: list[StoredFrame]
):
    said = {ObjectType.OBJECT_TYPE_UNSPECIFIED: [], ObjectType.STATION: []}
    for message in sent(make_runs(), beside_a_station):
        track = RadarTrack.from_json(message.body)
        said[track.object_type].append(message.headers.get("x-qiki-type-confidence"))
    assert set(said[ObjectType.OBJECT_TYPE_UNSPECIFIED]) == {None}
    assert 0 < len(said[ObjectType.STATION]) <= 21
    assert all(len(text) == 4 and 0.9 <= float(text) < 1 for text in said[ObjectType.STATION])


def test_a_frame_delivered_again_says_the_same_of_its_types(
    make_runs: Callable[[], Runs], beside_a_station: list[StoredFrame]
):
    runs, restored = make_runs(), make_runs()
    first = sent(runs, beside_a_station[:25])
    restored.restore(runs.snapshot())
    assert sent(runs, beside_a_station[:25]) == []  # nothing new
    assert sent(make_runs(), beside_a_station[:25]) == first
    last = sent(runs, beside_a_station[25:])
    assert any("x-qiki-type-confidence" in message.headers for message in last)
    assert sent(restored, beside_a_station[25:]) == last


def ids(messages: object) -> list[str]:
    return [message.headers["Nats-Msg-Id"] for message in messages]  # type: ignore[attr-defined]


def test_a_frames_announcement_counts_its_tracks_and_names_its_place(steps: list[Tracked]):
    message = tracked_message(steps[3], 77)
    assert message.subject == "qiki.tracker.v1.frames"
    assert json.loads(message.body) == {
        "run_id": RUN,
        "frame_id": str(steps[3].frame_id),
        "frame": 3,
        "timestamp": "2026-01-01T00:00:00.300000Z",
        "tracks": 1,
    }
    assert TrackedFrame.from_json(message.body).tracks == 1
    assert message.headers["Nats-Msg-Id"] == f"{RUN}:3:tracked"
    assert (message.headers["x-qiki-run"], message.headers["x-qiki-frame"]) == (RUN, "3")
    assert message.headers["x-qiki-seq"] == "77"
    assert message.headers["x-qiki-alerts"] == "0"


def test_an_alert_is_an_event_of_its_rules_severity(steps: list[Tracked]):
    alerts: list[tuple[Tracked, Message]] = [(step, one) for step in steps for one in guard_messages(step)]
    ((step, message),) = alerts
    alert = GuardAlert.from_json(message.body)
    assert (message.subject, alert.rule_id) == ("qiki.events.v1.radar.guard", "UNKNOWN_CONTACT_CLOSE")
    assert message.headers["Nats-Msg-Id"] == f"{RUN}:{step.key}:{alert.track_id}:UNKNOWN_CONTACT_CLOSE"
    assert message.headers["ce-time"] == step.reports.timestamp
    assert (message.headers["x-qiki-code"], message.headers["x-qiki-severity"]) == ("802", "CRITICAL")
    assert (message.headers["x-qiki-run"], message.headers["x-qiki-frame"]) == (RUN, str(step.number))
    assert tracked_message(step, 1).headers["x-qiki-alerts"] == "1"


def test_an_alerts_end_is_an_event_of_its_frame(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame], steps: list[Tracked]
):
    runs = make_runs()
    for number in range(30):
        runs.step(stored(number))
    gone = [one for one in (runs.step(stored(number, detections=())) for number in range(30, 90)) if one is not None]
    ((step, message),) = [(step, one) for step in gone for one in guard_messages(step)]
    (alert,) = [alert for step in steps for alert in step.judgement.alerts]
    cleared = GuardCleared.from_json(message.body)
    assert message.subject == "qiki.events.v1.radar.guard.cleared"
    assert (cleared.run_id, cleared.track_id, cleared.rule_id) == (RUN, alert.track_id, alert.rule_id)
    assert cleared.fsm_event == "RADAR_ALERT_UNKNOWN_CLOSE"
    assert cleared.ts_epoch == parse_rfc3339(step.reports.timestamp).timestamp()
    assert message.headers["Nats-Msg-Id"] == f"{RUN}:{step.key}:{alert.track_id}:UNKNOWN_CONTACT_CLOSE:cleared"
    assert message.headers["ce-time"] == step.reports.timestamp
    assert (message.headers["x-qiki-code"], message.headers["x-qiki-severity"]) == ("801", "INFO")
    assert (message.headers["x-qiki-run"], message.headers["x-qiki-frame"]) == (RUN, str(step.number))
    assert tracked_message(step, 1).headers["x-qiki-alerts"] == "1"


def test_an_alert_that_holds_again_says_what_an_alert_says_and_counts(steps: list[Tracked]):
    (spoke,) = [step for step in steps for _ in guard_messages(step)]
    step = replace(spoke, judgement=Judgement(resumed=spoke.judgement.alerts))
    (alert,), (resumed,) = guard_messages(spoke), guard_messages(step)
    assert resumed.subject == "qiki.events.v1.radar.guard.resumed"
    assert resumed.body == alert.body
    assert resumed.headers["Nats-Msg-Id"] == alert.headers["Nats-Msg-Id"] + ":resumed"
    changed = {name for name in alert.headers if resumed.headers[name] != alert.headers[name]}
    assert changed == {"Nats-Msg-Id", "ce-id", "ce-type"}
    assert tracked_message(step, 1).headers["x-qiki-alerts"] == "1"


ORIGIN = FrameOrigin(RUN, 7, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
TIME = "2026-01-01T00:00:00.700000Z"
HEADERS = ORIGIN.headers(RadarRangeBand.RR_UNSPECIFIED, TIME)


def test_a_frame_among_the_dead_letters_is_announced_without_tracks_and_with_the_reason():
    message = buried_message(ORIGIN, HEADERS, 77, "no JSON")
    assert message is not None
    frame = TrackedFrame.from_json(message.body)
    assert (frame.run_id, frame.frame, frame.tracks) == (RUN, 7, 0)
    assert (frame.frame_id, frame.timestamp) == (run_frame_id(UUID(RUN), 7), parse_rfc3339(TIME))
    assert message.headers["Nats-Msg-Id"] == f"{RUN}:7:tracked"
    marks = ("x-qiki-run", "x-qiki-frame", "x-qiki-seq", "x-qiki-alerts", "x-qiki-reason")
    assert [message.headers[name] for name in marks] == [RUN, "7", "77", "0", "no JSON"]


@pytest.mark.parametrize(
    ("origin", "changes"),
    [
        (ORIGIN, {"Nats-Msg-Id": "somebody's"}),
        (ORIGIN, {"ce-time": "noon"}),
        (replace(ORIGIN, run="mine"), {"Nats-Msg-Id": "mine:7"}),
    ],
    ids=["another-message-id", "no-time", "no-run"],
)
def test_a_message_with_borrowed_headers_of_a_run_is_not_announced(origin: FrameOrigin, changes: dict[str, str]):
    assert buried_message(origin, HEADERS | changes, 77, "no JSON") is None
