"""The converter: in what order messages may come, and what is malformed or missing."""

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.PointCloud_pb2 import PointCloud
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from foxglove_schemas_protobuf.PosesInFrame_pb2 import PosesInFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts import topics
from qiki.contracts.events import SEVERITY
from qiki.contracts.headers import FRAME, OWN_POSITION, RUN, Message
from qiki.contracts.telemetry import SimState
from qiki.flight import Flight
from qiki.world.inputs import run_message
from qiki.world.scenario import load_scenario
from qiki.world.snapshots import telemetry
from qiki_harness.recording.foxglove.channels import CHANNELS, DETECTIONS, EVENTS, OWN_POSE, POSITIONS, TRACKS
from qiki_harness.recording.foxglove.converter import Derived, FoxgloveConverter
from qiki_harness.recording.foxglove.poses import along, facing
from qiki_harness.recording.foxglove.tracks import WAITING

AT_NS = 1767225600 * 10**9
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
OF_TRACKS = {topics.TRACKS.subject, topics.TRACKED.subject}
ID = "0e0a60c4-0000-4000-8000-00000000000{}"


@pytest.fixture(scope="module")
def flight_messages() -> list[Message]:
    """Two seconds of a flight."""
    flight = Flight(load_scenario("collision"), agent=None)
    return [message for moment in flight.fly(2.0) for message in moment.messages(INGEST)]


def frame(number: int = 0, **headers: str) -> Message:
    identity = ID.format(9)
    body = {"frame_id": identity, "sensor_id": identity, "timestamp": "2026-01-01T00:00:00.000000Z", "detections": []}
    return Message(topics.FRAMES.subject, json.dumps(body).encode(), {RUN: "r", FRAME: str(number)} | headers)


def track(identity: int, number: int = 0, x: float = 100.0, status: int = 2) -> Message:
    zero = {"x": 0.0, "y": 0.0, "z": 0.0}
    body = {"track_id": ID.format(identity), "status": status, "iff": 3, "quality": 0.5, "position": zero | {"x": x}}
    data = json.dumps(body | {"velocity": zero}).encode()
    return Message(topics.TRACKS.subject, data, {RUN: "r", FRAME: str(number)})


def notice(tracks: int, number: int = 0) -> Message:
    body = {"run_id": "r", "frame_id": ID.format(9), "frame": number, "timestamp": "2026-01-01T00:00:00.000000Z"}
    return Message(topics.TRACKED.subject, json.dumps(body | {"tracks": tracks}).encode(), {})


def converted(messages: Iterable[Message]) -> list[Derived]:
    converter = FoxgloveConverter()
    return [one for message in messages for one in converter.convert(message, AT_NS)]


def places(derived: Iterable[Derived]) -> list[list[float]]:
    """X of the tracks, frame by frame."""
    frames = [PosesInFrame.FromString(one.data) for one in derived if one.channel is TRACKS]
    return [[pose.position.x for pose in one.poses] for one in frames]


def test_a_frame_its_tracks_and_its_notice_come_in_any_order():
    for order in permutations([frame(), track(1, x=10.0), track(2, x=20.0), notice(2)]):
        assert sorted(places(converted(order))[0]) == [10.0, 20.0]
        assert places(converted(order[:3])) == []
    for order in permutations([frame(), notice(0)]):
        assert places(converted(order)) == [[]]


def test_a_frame_without_tracks_clears_the_picture():
    derived = converted([frame(**{OWN_POSITION: "1 2 3"}), notice(0)])
    assert places(derived) == [[]]
    (cloud,) = [PointCloud.FromString(one.data) for one in derived if one.channel is POSITIONS]
    assert len(cloud.data) == cloud.point_stride  # the vehicle


def test_tracks_are_put_where_the_vehicle_was_at_their_own_frame():
    own = [frame(number, **{OWN_POSITION: f"{1000 * number} 0 0"}) for number in range(3)]
    late = [track(1, 0, x=5.0), notice(1, 0), track(1, 1, x=5.0), notice(1, 1), track(1, 2, x=5.0), notice(1, 2)]
    assert places(converted([*own, *late])) == [[5.0], [1005.0], [2005.0]]


def test_lost_tracks_are_not_shown():
    assert places(converted([frame(), track(1, x=10.0), track(2, x=20.0, status=3), notice(2)])) == [[10.0]]


def test_tracks_of_a_frame_that_never_came_give_nothing():
    assert places(converted([frame(1), track(1, 7), notice(1, 7), track(1, 1, x=3.0), notice(1, 1)])) == [[3.0]]


def test_notices_may_be_an_hour_ahead():
    ahead = [notice(1, number) for number in range(36_000)]
    assert places(converted([*ahead, frame(0), track(1, 0, x=1.0), frame(9), track(1, 9, x=2.0)])) == [[1.0], [2.0]]


def test_tracks_that_lack_their_notice_are_forgotten_when_many_wait():
    many = [track(1, number) for number in range(1, WAITING)]
    assert len(places(converted([frame(), track(1), *many, notice(1)]))) == 1
    assert places(converted([frame(), track(1), *many, track(1, WAITING), notice(1)])) == []


def test_tracks_that_come_again_are_not_shown_again():
    assert len(places(converted([frame(), track(1), notice(1), track(1), notice(1)]))) == 1


def test_a_radar_of_no_run_gives_nothing():
    bare = Message(topics.FRAMES.subject, frame().body, {})
    assert converted([bare]) == []
    assert [one.channel for one in converted([frame()])][1:] == [OWN_POSE, DETECTIONS]


def test_the_audit_log_does_not_repeat_the_events():
    body = b'{"reason":"because"}'
    headers = {SEVERITY: "CRITICAL", "ce-type": "qiki.events.v1.Refusal", "ce-source": "urn:qiki:x:y\x1b"}
    event = Message("qiki.events.v1.security.refused", body, headers)
    (derived,) = converted([event, Message(topics.AUDIT.subject, body, headers)])
    line = Log.FromString(derived.data)
    assert (derived.channel, line.level, line.message, line.name) == (EVENTS, Log.FATAL, "Refusal: because", "x:y\\x1b")
    assert Log.FromString(converted([Message("qiki.events.v1.odd", b"7", {})])[0].data).level == Log.UNKNOWN


def heading_deg(derived: Iterable[Derived]) -> float:
    turn = [PoseInFrame.FromString(one.data) for one in derived if one.channel is OWN_POSE][-1].pose.orientation
    return (90.0 - math.degrees(2 * math.atan2(turn.z, turn.w))) % 360.0


def test_the_vehicle_turns_by_its_telemetry_and_begins_as_its_scenario_says():
    scenario = load_scenario("collision")
    flight = Flight(scenario.model_copy(update={"bot": scenario.bot.model_copy(update={"heading_deg": 30.0})}))
    run_id = str(flight.world.run_id)
    begin, at_frame = run_message(flight.world, 1.0), frame(**{RUN: run_id})

    def seen(*messages: tuple[Message, float]) -> float:
        converter = FoxgloveConverter()
        derived = [one for message, t_s in messages for one in converter.convert(message, AT_NS + round(t_s * 1e9))]
        return heading_deg(derived)

    def told(yaw_rad: float, run: str = run_id) -> Message:
        state = SimState(running=True, paused=False, speed=1.0, tick=0, run_id=run, behind_s=0.0)
        snapshot = telemetry(flight.world, state)
        attitude = snapshot.attitude.model_copy(update={"yaw_rad": yaw_rad})
        return Message(topics.TELEMETRY.subject, snapshot.model_copy(update={"attitude": attitude}).to_json(), {})

    west, south = told(math.pi), told(-math.pi / 2)
    assert seen((begin, 0.0), (at_frame, 0.1)) == pytest.approx(30.0)
    assert seen((begin, 0.0), (west, 1.0), (begin, 0.0), (at_frame, 1.1)) == pytest.approx(270.0)
    assert seen((south, 2.0), (west, 1.0), (begin, 0.0), (at_frame, 1.5)) == pytest.approx(270.0)
    assert seen((begin, 0.0), (told(1.0, "another"), 0.0), (at_frame, 1.1)) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("velocity", "expected"),
    [
        ((3.0, 0.0, 0.0), (0, 0, 0, 1)),
        ((0.0, 0.0, 0.001), (0, 0, 0, 1)),
        ((0.0, 0.0, 5.0), (0, -(0.5**0.5), 0, 0.5**0.5)),
    ],
)
def test_a_direction_turns_x_to_it(velocity, expected):
    found = along(velocity)
    assert (found.x, found.y, found.z, found.w) == pytest.approx(expected)


def test_yaw_is_counter_clockwise():
    found = facing(math.pi / 2)
    assert (found.x, found.y, found.z, found.w) == pytest.approx((0, 0, 0.5**0.5, 0.5**0.5))


def test_what_is_malformed_gives_nothing_and_harms_nothing(flight_messages: list[Message]):
    spoilt = [
        Message(message.subject, body, headers)
        for message in flight_messages[:40]
        for body in (b"", b"\xff", b"[]", b"{}", b"null", message.body[:-9], message.body.replace(b":", b":null,", 1))
        for headers in (message.headers, {}, {RUN: "r", FRAME: "x"}, {RUN: "r", FRAME: "1", OWN_POSITION: "1 nan"})
    ]
    odd = [
        track(1, x=float("nan")), track(1, x=1e300), notice(1), Message(topics.TRACKS.subject, b"{}", {}),
        Message(topics.TELEMETRY.subject, b"{}", {}), Message(topics.RUNS.subject, b"{}", {}),
        Message("qiki.events.v1.x", b"\xff", {}), Message("qiki.events.v1.x", b"{}", {"ce-type": "\ud800"}),
    ]  # fmt: skip
    clean = len(converted(flight_messages))
    assert clean > 100
    converter = FoxgloveConverter()
    for message in [*spoilt, *odd]:
        converter.convert(message, AT_NS)
    assert sum(len(converter.convert(message, AT_NS)) for message in flight_messages) >= clean


SUBJECTS = [*{topic.subject for topic in topics.TOPICS if not topic.subject.endswith(">")}, "qiki.events.v1.x"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=9,
)


@given(
    st.sampled_from(SUBJECTS),
    st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from([RUN, FRAME, OWN_POSITION, SEVERITY, "ce-type", "ce-source"]), st.text(max_size=9)),
)
def test_any_message_is_taken(subject: str, body: bytes, headers: dict[str, str]):
    for derived in FoxgloveConverter().convert(Message(subject, body, headers), AT_NS):
        assert derived.channel in CHANNELS


def values_of(body: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values of a body."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [place for name, one in inner for place in [(*path, name), *values_of(one, (*path, name))]]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_a_field_holds_nothing_is_raised(data: st.DataObject):
    messages = [frame(), track(1), track(2), notice(2), frame(1), track(1, 1), notice(1, 1)]
    number = data.draw(st.integers(0, len(messages) - 1))
    body = json.loads(messages[number].body)
    *path, last = data.draw(st.sampled_from(values_of(body)))
    place = body
    for name in path:
        place = place[name]
    place[last] = data.draw(st.sampled_from([None, True, -1, 1e300, 10**40, float("nan"), "", "x", [], [1], {}]))
    converter = FoxgloveConverter()
    for at, message in enumerate(messages):
        changed = json.dumps(body).encode() if at == number else message.body
        converter.convert(Message(message.subject, changed, message.headers), 10**18 + at)
