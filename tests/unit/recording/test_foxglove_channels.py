"""Derived channels: decoded by the file's own schemas, they show what the recording's other channels say."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from mcap.exceptions import EndOfFile
from mcap.reader import NonSeekingReader

from qiki.contracts import topics
from qiki.flight import Flight
from qiki.geometry import spherical
from qiki.world.scenario import load_scenario
from qiki.world.vehicle.orders import Turn
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.foxglove.channels import CHANNELS
from qiki_harness.recording.layout import DERIVED
from qiki_harness.recording.reader import Recording

LOST, CONFIRMED = 3, {2, 4}
NAMES = {"transforms", "own_pose", "detections", "positions", "tracks", "events"}
Shown = dict[str, list[Any]]


def decoded(path: Path) -> Shown:
    """The derived messages by channel, as (MCAP's record, message): nothing but the file says how to read them."""
    found: Shown = defaultdict(list)
    with path.open("rb") as file, suppress(EndOfFile):
        for schema, channel, record in NonSeekingReader(file).iter_messages(log_time_order=False):
            if channel.topic.startswith(DERIVED):
                assert channel.message_encoding == schema.encoding == "protobuf"
                message = class_of(schema).FromString(record.data)
                found[channel.topic.removeprefix(DERIVED)].append((record, message))
    return found


def class_of(schema: Any) -> Any:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(schema.data).file:  # fails unless what is imported comes first
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(schema.name))


@pytest.fixture(scope="module")
def shown(flown: Path) -> Shown:
    return decoded(flown)


@pytest.fixture(scope="module")
def bodies(flown: Path) -> dict[str, list[tuple[Mapping[str, str], Any]]]:
    """Headers and bodies by subject."""
    found = defaultdict(list)
    for one in Recording(flown).messages():
        found[one.message.subject].append((one.message.headers, json.loads(one.message.body)))
    return found


def own_states(bodies: Any) -> dict[str, tuple[Any, Any]]:
    """Position and velocity of the vehicle by the number of the frame."""
    return {
        headers["x-qiki-frame"]: tuple(
            np.array([float(word) for word in headers[f"x-qiki-own-{what}"].split()])
            for what in ("position", "velocity")
        )
        for headers, _ in bodies[topics.FRAMES.subject]
    }


def xyz(values: Any) -> Any:
    return np.array([values.x, values.y, values.z])


def axes(values: Mapping[str, float]) -> Any:
    return np.array([values["x"], values["y"], values["z"]])


def turned(rotation: Any, vector: Any) -> Any:
    """A vector, turned by a quaternion."""
    axis = xyz(rotation)
    across = 2 * np.cross(axis, vector)
    return vector + rotation.w * across + np.cross(axis, across)


def points(cloud: Any) -> Any:
    """The points of a cloud by the names of its fields."""
    kinds = {1: "u1", 7: "<f4"}
    offsets = [one.offset for one in cloud.fields]
    names, formats = [one.name for one in cloud.fields], [kinds[one.type] for one in cloud.fields]
    return np.frombuffer(
        cloud.data, dtype={"names": names, "formats": formats, "offsets": offsets, "itemsize": cloud.point_stride}
    )


def test_every_channel_has_messages_of_foxglove(shown: Shown):
    assert {one.topic.removeprefix(DERIVED) for one in CHANNELS} == set(shown) == NAMES
    kinds = {name: messages[0][1].DESCRIPTOR.full_name for name, messages in shown.items()}
    assert kinds == {
        "transforms": "foxglove.FrameTransforms",
        "own_pose": "foxglove.PoseInFrame",
        "detections": "foxglove.PointCloud",
        "positions": "foxglove.PointCloud",
        "tracks": "foxglove.PosesInFrame",
        "events": "foxglove.Log",
    }


def test_they_bear_event_time_and_the_log_time_of_what_they_show(shown: Shown, flown: Path):
    recorded = {one.number: one for one in Recording(flown).messages()}
    for name, messages in shown.items():
        for record, message in messages:
            stamp = message.transforms[0].timestamp if name == "transforms" else message.timestamp
            source = recorded[record.sequence]
            assert stamp.ToNanoseconds() == record.publish_time == source.event_ns
            assert record.log_time == source.came_ns


def test_the_vehicle_is_where_the_headers_of_frames_say(shown: Shown, bodies: Any):
    positions = [xyz(message.pose.position) for _, message in shown["own_pose"]]
    expected = [position for position, _ in own_states(bodies).values()]
    np.testing.assert_array_equal(positions, expected)
    assert np.linalg.norm(positions[-1] - positions[0]) > 0.1  # its thrusters were fired
    truth = [axes(body["bot"]["position"]) for _, body in bodies[topics.TRUTH.subject]]
    np.testing.assert_array_equal(positions, truth)
    assert {message.frame_id for _, message in shown["own_pose"]} == {"world"}


def test_detections_are_points_around_the_vehicle(shown: Shown, bodies: Any):
    frames = [body["detections"] for _, body in bodies[topics.FRAMES.subject]]
    clouds = [message for _, message in shown["detections"]]
    assert [len(points(cloud)) for cloud in clouds] == [len(detections) for detections in frames]
    assert sum(map(len, frames)) > 20
    assert {cloud.frame_id for cloud in clouds} == {"radar"}
    for cloud, detections in zip(clouds, frames, strict=True):
        found = points(cloud)
        range_m, bearing, elevation = spherical(np.stack([found[axis].astype(float) for axis in "xyz"], axis=1))
        for name, values in (
            ("range_m", range_m), ("bearing_deg", np.degrees(bearing)), ("elev_deg", np.degrees(elevation)),
            ("vr_mps", found["vr_mps"]), ("snr_db", found["snr_db"]), ("rcs_dbsm", found["rcs_dbsm"]),
        ):  # fmt: skip
            np.testing.assert_allclose(values, [one[name] for one in detections], rtol=1e-5, atol=1e-4)


def test_tracks_are_where_they_are_in_the_world(shown: Shown, bodies: Any):
    own, tracks = own_states(bodies), defaultdict(list)
    for headers, body in bodies[topics.TRACKS.subject]:
        if body["status"] != LOST:
            tracks[headers["x-qiki-frame"]].append(body)
    assert len(shown["tracks"]) == len(shown["positions"]) == len(own)
    for (_, poses), (_, cloud), (frame, (position, velocity)) in zip(
        shown["tracks"], shown["positions"], own.items(), strict=True
    ):
        expected = [position + axes(body["position"]) for body in tracks[frame]]
        found = points(cloud)
        as_points = np.stack([found[axis] for axis in "xyz"], axis=1)
        np.testing.assert_allclose(as_points, [position, *expected], rtol=1e-6)
        assert len(poses.poses) == len(expected)
        for pose, at, body in zip(poses.poses, expected, tracks[frame], strict=True):
            np.testing.assert_allclose(xyz(pose.position), at)
            flies = velocity + axes(body["velocity"])
            ahead = turned(pose.orientation, np.array([1.0, 0.0, 0.0]))
            np.testing.assert_allclose(ahead * np.linalg.norm(flies), flies, atol=1e-9)


def test_a_track_is_shown_near_the_true_contact(shown: Shown, bodies: Any):
    _, truth = bodies[topics.TRUTH.subject][-1]
    poses = np.array([xyz(pose.position) for pose in shown["tracks"][-1][1].poses])
    for contact in truth["contacts"]:
        assert np.linalg.norm(poses - axes(contact["position"]), axis=1).min() < 20.0
    assert truth["contacts"]


def test_colours_follow_the_side(shown: Shown, bodies: Any):
    expected = {1: (0, 200, 90), 2: (240, 50, 50), 3: (255, 210, 0)}
    last = max(int(headers["x-qiki-frame"]) for headers, _ in bodies[topics.TRACKS.subject])
    sides = [
        body["iff"]
        for headers, body in bodies[topics.TRACKS.subject]
        if headers["x-qiki-frame"] == str(last) and body["status"] != LOST
    ]
    found = points(shown["positions"][-1][1])
    colours = [tuple(point[name] for name in ("red", "green", "blue")) for point in found]
    assert colours == [(255, 255, 255), *(expected[side] for side in sides)]
    assert sides


def test_frames_of_reference_lead_from_the_world_to_the_vehicle_and_to_each_track(shown: Shown, bodies: Any):
    transforms = [one for _, message in shown["transforms"] for one in message.transforms]
    parents = {one.child_frame_id: one.parent_frame_id for one in transforms}
    names = {
        f"track/{body['track_id'][:8]}" for _, body in bodies[topics.TRACKS.subject] if body["status"] in CONFIRMED
    }
    assert parents == {"radar": "world", "vehicle": "radar"} | dict.fromkeys(names, "world")
    radar = [xyz(one.translation) for one in transforms if one.child_frame_id == "radar"]
    np.testing.assert_array_equal(radar, [xyz(message.pose.position) for _, message in shown["own_pose"]])
    assert {one.rotation.w for one in transforms if one.child_frame_id == "radar"} == {1.0}
    poses = {tuple(xyz(pose.position)) for _, message in shown["tracks"] for pose in message.poses}
    assert {tuple(xyz(one.translation)) for one in transforms if one.child_frame_id in names} <= poses


def test_the_vehicle_faces_where_its_telemetry_says(tmp_path: Path):
    path, flight = tmp_path / "turned.mcap", Flight(load_scenario("collision"), agent=None)
    flight.world.submit(Turn(120.0))
    record_flight(flight, 5.0, path)
    snapshots = [json.loads(one.message.body) for one in Recording(path).messages({topics.TELEMETRY.subject})]
    assert [one["sim_state"]["tick"] for one in snapshots] == [0, 20, 40, 60, 80, 100]
    assert snapshots[-1]["heading"] != snapshots[0]["heading"]
    messages = decoded(path)
    poses, transforms = (
        messages["own_pose"],
        [one for _, message in messages["transforms"] for one in message.transforms],
    )
    for number, (_, message) in ((0, poses[0]), (4, poses[-1])):
        heading = math.radians(snapshots[number]["heading"])
        ahead = np.array([math.sin(heading), math.cos(heading), 0.0])  # clockwise from +Y
        np.testing.assert_allclose(turned(message.pose.orientation, np.array([1.0, 0.0, 0.0])), ahead, atol=1e-12)
    *_, vehicle = [one for one in transforms if one.child_frame_id == "vehicle"]
    assert str(vehicle.rotation) == str(poses[-1][1].pose.orientation)


def test_events_are_lines_of_a_log_with_their_severity(shown: Shown, flown: Path):
    events = [one.message for one in Recording(flown).messages() if topics.EVENTS.covers(one.message.subject)]
    levels = {"INFO": 2, "WARNING": 3, "ERROR": 4, "CRITICAL": 5}
    lines = [message for _, message in shown["events"]]
    assert [line.level for line in lines] == [levels[event.headers["x-qiki-severity"]] for event in events]
    assert lines[0].message.startswith("RunStarted: ")
    assert lines[0].name == "q-sim-service:world"


def test_readers_of_recordings_do_not_see_them(flown: Path):
    seen = {one.message.subject for one in Recording(flown).messages()}
    counted = json.loads(Recording(flown).attachment("contents.json"))["counts"]
    assert not any(subject.startswith(DERIVED) for subject in seen | set(counted))
    assert set(counted) == seen


def test_what_a_killed_recorder_wrote_of_them_is_readable(flown: Path, shown: Shown, tmp_path: Path):
    cut, data = tmp_path / "cut.mcap", flown.read_bytes()
    cut.write_bytes(data[: data.rindex(b"contents.json")])
    found = decoded(cut)
    assert {name: len(messages) for name, messages in found.items()} == {
        name: len(messages) for name, messages in shown.items()
    }
