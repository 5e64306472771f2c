"""Between JSON payloads and protobuf: nothing is lost but what the types cannot hold.

The ways that no service goes, frames and tracks into messages and tracks out of them, are helpers here.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from generated import actuator_raw_out_pb2 as actuators
from generated.radar.v1 import radar_pb2 as pb
from qiki.contracts import protobuf as convert
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.fields import Vector
from qiki.contracts.radar import RadarDetection, RadarFrame, RadarTrack

PLOT = RadarDetection(
    range_m=1.5, bearing_deg=359.5, elev_deg=-89.5, vr_mps=-2.5, snr_db=20.25, rcs_dbsm=-10.125, transponder_on=True,
    transponder_mode=3, transponder_id="F-1", range_band=2, id_present=True,
)  # fmt: skip
AT = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
TRACK = RadarTrack(
    track_id="6f1c3d1e-0000-4000-8000-000000000001", object_type=2, iff=1, transponder_on=True, transponder_mode=1,
    transponder_id="F-1", quality=0.75, status=4, range_m=1.5, bearing_deg=2.5, elev_deg=3.5, vr_mps=-4.5, snr_db=5.5,
    rcs_dbsm=-6.5, position=Vector(x=1.25, y=2.25, z=3.25), velocity=Vector(x=4.25, y=5.25, z=6.25),
    position_covariance=(1, 2, 3, 4, 5, 6), velocity_covariance=(7, 8, 9, 10, 11, 12), age_s=13.5, miss_count=2,
    timestamp=AT, range_band=2, id_present=True,
)  # fmt: skip


def detection_to_proto(detection: RadarDetection) -> pb.RadarDetection:
    """Convert one detection."""
    return pb.RadarDetection(**detection.model_dump(exclude_none=True))


def frame_to_proto(frame: RadarFrame) -> pb.RadarFrame:
    """Convert one frame, without its ingest time."""
    return pb.RadarFrame(
        schema_version=frame.schema_version,
        frame_id=convert.uuid_to_proto(frame.frame_id),
        sensor_id=convert.uuid_to_proto(frame.sensor_id),
        timestamp=convert.timestamp_to_proto(frame.timestamp),
        detections=map(detection_to_proto, frame.detections),
    )


def track_to_proto(track: RadarTrack) -> pb.RadarTrack:
    """Convert one track, without its ingest time."""
    fields = track.model_dump(exclude={"ts_event", "ts_ingest"}, exclude_none=True)
    fields |= {
        "track_id": convert.uuid_to_proto(track.track_id),
        "timestamp": convert.timestamp_to_proto(track.timestamp),
    }
    return pb.RadarTrack(**fields)


def track_from_proto(message: pb.RadarTrack) -> RadarTrack:
    """Convert one track."""
    any_message: Message = message
    fields = {
        field.name: getattr(message, field.name)
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or any_message.HasField(field.name)
    }
    for name in ("position", "velocity"):
        if vector := fields.get(name):
            fields[name] = Vector(x=vector.x, y=vector.y, z=vector.z)
    for name in ("position_covariance", "velocity_covariance"):
        fields[name] = tuple(fields[name]) or None
    fields["transponder_id"] = message.transponder_id or None
    fields |= {"track_id": UUID(message.track_id.value), "timestamp": convert.timestamp_from_proto(message.timestamp)}
    return RadarTrack(**fields)


def test_a_detection_fills_every_field_of_its_message():
    message = detection_to_proto(PLOT)
    assert {field.name: value for field, value in message.ListFields()} == {
        "range_m": 1.5, "bearing_deg": 359.5, "elev_deg": -89.5, "vr_mps": -2.5, "snr_db": 20.25, "rcs_dbsm": -10.125,
        "transponder_on": True, "transponder_mode": 3, "transponder_id": "F-1", "range_band": 2, "id_present": True,
    }  # fmt: skip
    assert len(message.ListFields()) == len(pb.RadarDetection.DESCRIPTOR.fields)


def test_a_track_fills_every_field_of_its_message():
    message = track_to_proto(TRACK)
    assert {field.name for field, _ in message.ListFields()} == {
        field.name for field in pb.RadarTrack.DESCRIPTOR.fields
    }
    assert (message.track_id.value, message.object_type, message.iff, message.status) == (str(TRACK.track_id), 2, 1, 4)
    assert (message.position.x, message.position.y, message.position.z) == (1.25, 2.25, 3.25)
    assert (message.velocity.x, message.velocity.y, message.velocity.z) == (4.25, 5.25, 6.25)
    assert list(message.position_covariance) == [1, 2, 3, 4, 5, 6]
    assert list(message.velocity_covariance) == [7, 8, 9, 10, 11, 12]
    assert (message.quality, message.age_s, message.miss_count) == (0.75, 13.5, 2)
    assert (message.timestamp.seconds, message.timestamp.nanos) == (1767323045, 6000)


def as_proto_holds(track: RadarTrack) -> RadarTrack:
    """The track without what protobuf has no room for."""
    return track.model_copy(update={"ts_ingest": None, "transponder_id": track.transponder_id or None})


@settings(max_examples=40)
@given(st.data())
def test_tracks_survive_binary_protobuf(wire: SimpleNamespace, data: st.DataObject):
    track = data.draw(wire.tracks)
    message = pb.RadarTrack.FromString(track_to_proto(track).SerializeToString())
    assert track_from_proto(message) == as_proto_holds(track)


@settings(max_examples=40)
@given(st.data())
def test_frames_survive_binary_protobuf(wire: SimpleNamespace, data: st.DataObject):
    frame = data.draw(wire.frames)
    message = pb.RadarFrame.FromString(frame_to_proto(frame).SerializeToString())
    assert convert.frame_from_proto(message) == frame.model_copy(update={"ts_ingest": None})


@given(st.floats(-1e30, 1e30))
def test_only_position_and_velocity_are_rounded_to_single_precision(value: float):
    track = TRACK.model_copy(update={"position": Vector(x=value, y=0, z=0), "rcs_dbsm": value})
    again = track_from_proto(track_to_proto(track))
    assert again.position is not None
    assert again.position.x == float(np.float32(value))
    assert again.rcs_dbsm == value


@pytest.mark.parametrize("absent", ["", None])
def test_null_and_empty_identity_are_one(absent: str | None):
    message = detection_to_proto(PLOT.model_copy(update={"transponder_id": absent}))
    assert message.transponder_id == ""
    assert convert.detection_from_proto(message).transponder_id is None


@pytest.mark.parametrize("present", [None, False, True])
def test_whether_an_identity_is_present_keeps_its_three_answers(present: bool | None):
    message = detection_to_proto(PLOT.model_copy(update={"id_present": present}))
    assert message.HasField("id_present") is (present is not None)
    assert convert.detection_from_proto(message).id_present is present


def test_absent_parts_of_a_track_are_absent_in_both():
    bare = TRACK.model_copy(
        update={"position": None, "velocity": None, "position_covariance": None, "velocity_covariance": None}
    )
    message = track_to_proto(bare)
    assert not message.HasField("position")
    assert track_from_proto(message) == bare


@settings(max_examples=40)
@given(st.data())
def test_times_keep_their_microseconds(wire: SimpleNamespace, data: st.DataObject):
    moment = data.draw(wire.times)
    message = convert.timestamp_to_proto(moment)
    assert 0 <= message.nanos < 1_000_000_000
    assert convert.timestamp_from_proto(message) == moment
    assert message.ToDatetime(tzinfo=UTC) == moment


def test_a_time_before_the_epoch_counts_seconds_down_and_nanos_up():
    message = convert.timestamp_to_proto(datetime(1969, 12, 31, 23, 59, 59, 250_000, UTC))
    assert (message.seconds, message.nanos) == (-1, 250_000_000)


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 10**12])
def test_a_time_beyond_the_calendar_is_refused(seconds: int):
    with pytest.raises(ValueError, match="outside the years"):
        convert.timestamp_from_proto(Timestamp(seconds=seconds))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"range_m": -1.0}, "range_m"),
        ({"snr_db": float("nan")}, "snr_db"),
        ({"transponder_mode": 9}, "transponder_mode"),
        ({"range_band": 1, "transponder_id": "F-1"}, "long range carries no identity"),
    ],
)
def test_a_message_that_the_contract_does_not_allow_is_refused(change: dict[str, float], problem: str):
    message = detection_to_proto(PLOT)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ValueError, match=problem):
        convert.detection_from_proto(message)


@pytest.mark.parametrize("identifier", ["", "no uuid"])
def test_a_frame_without_an_id_is_refused(identifier: str):
    message = frame_to_proto(RadarFrame(frame_id=TRACK.track_id, sensor_id=TRACK.track_id, timestamp=AT))
    message.frame_id.value = identifier
    with pytest.raises(ValueError, match="UUID"):
        convert.frame_from_proto(message)


def test_a_frame_of_another_schema_is_refused():
    message = frame_to_proto(RadarFrame(frame_id=TRACK.track_id, sensor_id=TRACK.track_id, timestamp=AT))
    message.schema_version = 2
    with pytest.raises(ValidationError, match="schema_version"):
        convert.frame_from_proto(message)


FLOATS = st.floats(allow_nan=False)
INT32 = st.integers(-(2**31), 2**31 - 1)
COMMANDS = st.builds(
    ActuatorCommand,
    actuator_id=st.text(max_size=40),
    command_type=st.integers(0, 20),
    value=st.one_of(st.none(), FLOATS, INT32, st.booleans(), st.tuples(FLOATS, FLOATS, FLOATS)),
    unit=st.integers(0, 20),
    timeout_ms=INT32,
    confidence=FLOATS,
    command_id=st.text(max_size=40),
    timestamp=st.none() | st.datetimes(timezones=st.just(UTC)),
    ack_required=st.booleans(),
    retry_count=st.integers(0, 3),
)


@given(COMMANDS)
def test_an_actuator_command_is_the_same_over_grpc(command: ActuatorCommand):
    body = convert.command_to_proto(command).SerializeToString()
    received = convert.command_from_proto(actuators.ActuatorCommand.FromString(body))
    assert received == command
    assert received.value_field == command.value_field


@given(FLOATS)
def test_a_command_holds_the_float_that_the_message_would(value: float):
    message = actuators.ActuatorCommand(float_value=value)
    assert ActuatorCommand("rcs_up", 1, value).value == message.float_value


def test_a_time_that_no_datetime_holds_is_no_time():
    message = actuators.ActuatorCommand(timestamp=Timestamp(seconds=10**15))
    assert convert.command_from_proto(message).timestamp is None
