"""Recordings in the viewers' own readers: Rerun's, and those of Foxglove. `tox -e viewers` has them."""

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from mcap.reader import make_reader

from qiki.contracts import topics
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.foxglove.channels import CHANNELS
from qiki_harness.recording.layout import DERIVED
from qiki_harness.recording.reader import Recording

NEEDED = "takes the viewers' readers: tox -e viewers"
SECONDS = 20.0


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some seconds of mixed traffic."""
    path = tmp_path_factory.mktemp("viewers") / "traffic.mcap"
    record_flight(Flight(load_scenario("mixed-traffic")), SECONDS, path)
    return path


def frames_of(path: Path) -> list[list[Any]]:
    """World positions of the live tracks by frame; the vehicle of this scenario rests at the origin."""
    frames: dict[str, list[Any]] = {
        one.message.headers["x-qiki-frame"]: [] for one in Recording(path).messages({topics.FRAMES.subject})
    }
    for one in Recording(path).messages({topics.TRACKS.subject}):
        body = json.loads(one.message.body)
        if body["status"] != 3:
            frames[one.message.headers["x-qiki-frame"]].append([body["position"][axis] for axis in "xyz"])
    return list(frames.values())


def rows_in_rerun(path: Path, *, recover: bool = False) -> dict[str, dict[str, list[Any]]]:
    """The columns of each derived channel, as Rerun's importer has them, ordered by event time."""
    chunk = pytest.importorskip("rerun.chunk", reason=NEEDED)
    columns: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for one in chunk.McapReader(str(path), recover=recover).stream():
        if one.entity_path.startswith(DERIVED) and not one.is_static:
            batch = one.to_record_batch()
            for name in batch.schema.names:
                columns[one.entity_path][name] += batch.column(name).to_pylist()
    for table in columns.values():
        order = np.argsort(table["timestamp"], kind="stable")
        table.update({name: [values[row] for row in order] for name, values in table.items()})
    return columns


def test_rerun_shows_points_poses_transforms_and_a_log(traffic: Path):
    rows = rows_in_rerun(traffic)
    expected = {
        "transforms": {"Transform3D:parent_frame", "Transform3D:child_frame", "Transform3D:translation"},
        "own_pose": {"InstancePoses3D:translations", "InstancePoses3D:quaternions", "CoordinateFrame:frame"},
        "detections": {"Points3D:positions", "CoordinateFrame:frame"},
        "positions": {"Points3D:positions", "Points3D:colors", "CoordinateFrame:frame"},
        "tracks": {"InstancePoses3D:translations", "InstancePoses3D:quaternions", "CoordinateFrame:frame"},
        "events": {"TextLog:text", "TextLog:level"},
    }
    assert {DERIVED + name for name in expected} == set(rows)
    for name, columns in expected.items():
        assert columns <= set(rows[DERIVED + name])
    assert "CRITICAL" in str(rows[f"{DERIVED}events"]["TextLog:level"])


def test_rerun_has_the_tracks_where_they_are(traffic: Path):
    rows, frames = rows_in_rerun(traffic), frames_of(traffic)
    shown = rows[f"{DERIVED}positions"]["Points3D:positions"]
    assert len(shown) == len(frames) == 200
    for points, tracks in zip(shown, frames, strict=True):
        np.testing.assert_allclose(points, [[0.0, 0.0, 0.0], *tracks], rtol=1e-6)
    poses = rows[f"{DERIVED}tracks"]["InstancePoses3D:translations"]
    assert [len(each or []) for each in poses] == [len(tracks) for tracks in frames]


def test_rerun_recovers_what_a_killed_recorder_has_left(traffic: Path, tmp_path: Path):
    cut, data = tmp_path / "cut.mcap", traffic.read_bytes()
    cut.write_bytes(data[: data.rindex(b"contents.json")])
    left, whole = (rows[f"{DERIVED}positions"] for rows in (rows_in_rerun(cut, recover=True), rows_in_rerun(traffic)))
    assert left["Points3D:positions"] == whole["Points3D:positions"]


def test_foxglove_s_decoder_and_sdk_read_every_message(traffic: Path):
    messages = pytest.importorskip("foxglove.messages", reason=NEEDED)
    decoder = pytest.importorskip("mcap_protobuf.decoder", reason=NEEDED)
    counts: dict[str, int] = defaultdict(int)
    with traffic.open("rb") as file:
        reader = make_reader(file, decoder_factories=[decoder.DecoderFactory()])
        for schema, channel, record, decoded in reader.iter_decoded_messages([one.topic for one in CHANNELS]):
            own = class_of(getattr(messages, schema.name.removeprefix("foxglove.")))
            read = own.FromString(record.data)
            assert str(read) == str(decoded)
            read.DiscardUnknownFields()
            assert read.SerializeToString() == record.data
            counts[channel.topic] += 1
    frames = 200
    assert {counts[one.topic] for one in CHANNELS if one.name in {"own_pose", "detections", "tracks"}} == {frames}
    assert counts[f"{DERIVED}events"] > 0


@cache
def class_of(kind: Any) -> Any:
    """The message class by the schema of a type of Foxglove's SDK."""
    schema, pool = kind.get_schema(), DescriptorPool()
    for file in FileDescriptorSet.FromString(schema.data).file:
        pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(schema.name))
