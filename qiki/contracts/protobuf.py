"""Conversion between payloads and protobuf messages, as far as gRPC carries them.

Two things are lost that a protobuf type cannot hold: null and empty identity are one, and the ingest time has no field.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from generated import actuator_raw_out_pb2 as actuators
from generated import common_types_pb2 as common
from generated.radar.v1 import radar_pb2 as pb
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.radar import RadarDetection, RadarFrame

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAME = ("command_type", "unit", "timeout_ms", "confidence", "ack_required", "retry_count")
"""Fields of a command that are alike in both."""


def timestamp_to_proto(moment: datetime) -> Timestamp:
    """Convert a time with its zone, to the microsecond."""
    elapsed = moment - _EPOCH
    return Timestamp(seconds=elapsed.days * 86_400 + elapsed.seconds, nanos=elapsed.microseconds * 1000)


def timestamp_from_proto(message: Timestamp) -> datetime:
    """Convert a time with its zone, to the microsecond.

    Raises:
        ValueError: outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    except OverflowError:
        raise ValueError(f"timestamp of {message.seconds} s is outside the years 1 to 9999") from None


def uuid_to_proto(value: UUID) -> common.UUID:
    """Convert a UUID to its canonical text form."""
    return common.UUID(value=str(value))


def command_to_proto(command: ActuatorCommand) -> actuators.ActuatorCommand:
    """Convert one actuator command."""
    message = actuators.ActuatorCommand(
        actuator_id=common.UUID(value=command.actuator_id),
        command_id=common.UUID(value=command.command_id),
        timestamp=timestamp_to_proto(command.timestamp) if command.timestamp else None,
        **{name: getattr(command, name) for name in _SAME},
    )
    if isinstance(command.value, tuple):
        x, y, z = command.value
        message.vector_value.CopyFrom(common.Vector3(x=x, y=y, z=z))
    elif command.value is not None:
        setattr(message, command.value_field, command.value)
    return message


def command_from_proto(message: actuators.ActuatorCommand) -> ActuatorCommand:
    """Convert one actuator command, which may have any numbers and texts."""
    field = message.WhichOneof("command_value")
    value = getattr(message, field) if field else None
    timestamp = None
    if message.HasField("timestamp"):
        with suppress(ValueError):
            timestamp = timestamp_from_proto(message.timestamp)
    return ActuatorCommand(
        actuator_id=message.actuator_id.value,
        command_id=message.command_id.value,
        value=(value.x, value.y, value.z) if isinstance(value, common.Vector3) else value,
        timestamp=timestamp,
        **{name: getattr(message, name) for name in _SAME},
    )


def detection_from_proto(message: pb.RadarDetection) -> RadarDetection:
    """Convert one detection.

    Raises:
        pydantic.ValidationError: a value that the contract does not allow.
    """
    return RadarDetection.model_validate(_detection(message))


def _detection(message: pb.RadarDetection) -> dict[str, Any]:
    return {
        "range_m": message.range_m,
        "bearing_deg": message.bearing_deg,
        "elev_deg": message.elev_deg,
        "vr_mps": message.vr_mps,
        "snr_db": message.snr_db,
        "rcs_dbsm": message.rcs_dbsm,
        "transponder_on": message.transponder_on,
        "transponder_mode": message.transponder_mode,
        "transponder_id": message.transponder_id or None,
        "range_band": message.range_band,
        "id_present": message.id_present if message.HasField("id_present") else None,
    }


def frame_from_proto(message: pb.RadarFrame) -> RadarFrame:
    """Convert one frame.

    Raises:
        ValueError: a missing or broken id.
        pydantic.ValidationError: a value that the contract does not allow.
    """
    values = {
        "schema_version": message.schema_version,
        "frame_id": UUID(message.frame_id.value),
        "sensor_id": UUID(message.sensor_id.value),
        "timestamp": timestamp_from_proto(message.timestamp),
        "detections": list(map(_detection, message.detections)),
    }
    return RadarFrame.model_validate(values)  # at once: a call for each detection takes twice the time


def proto_enum(value: int) -> Any:
    """Return the integer itself, of any proto enum type for the type checker."""
    return int(value)
