"""The generated stubs against the contract's tables of messages and enums, written out here once more."""

import re

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

from generated import (
    actuator_raw_out_pb2,
    bios_status_pb2,
    common_types_pb2,
    fsm_state_pb2,
    proposal_pb2,
    q_sim_api_pb2,
    sensor_raw_in_pb2,
)
from generated.radar.v1 import radar_pb2
from qiki.contracts import enums

FILES: list[FileDescriptor] = [
    module.DESCRIPTOR
    for module in (
        actuator_raw_out_pb2,
        bios_status_pb2,
        common_types_pb2,
        fsm_state_pb2,
        proposal_pb2,
        q_sim_api_pb2,
        radar_pb2,
        sensor_raw_in_pb2,
    )
]
TIME = "google.protobuf.Timestamp"
MESSAGES = {
    "qiki.common.UUID": "value=1 string",
    "qiki.common.Vector3": "x=1 float, y=2 float, z=3 float",
    "qiki.api.HealthCheckRequest": "",
    "qiki.api.GetRadarFrameRequest": "",
    "qiki.api.GetSensorDataRequest": "sensor_type=1 optional qiki.common.SensorType",
    "qiki.api.GetSensorDataResponse": "reading=1 qiki.sensors.SensorReading",
    "qiki.api.SendActuatorCommandRequest": "command=1 qiki.actuators.ActuatorCommand",
    "qiki.api.SendActuatorCommandResponse": "accepted=1 bool, message=2 string",
    "qiki.api.ListActuatorsResponse": "actuators=1 repeated qiki.api.ActuatorState, safe_mode=2 optional bool",
    "qiki.api.HealthCheckResponse": "status=1 string, message=2 string, timestamp=3 int64",
    "qiki.api.GetRadarFrameResponse": "frame=1 qiki.radar.v1.RadarFrame",
    "qiki.sensors.SensorReading": (
        f"sensor_id=1 qiki.common.UUID, sensor_type=2 qiki.common.SensorType, timestamp=3 {TIME}, "
        "vector_data=4 qiki.common.Vector3, scalar_data=5 float, unit=6 qiki.common.Unit, binary_data=7 bytes, "
        "is_valid=8 bool, encoding=9 string, signal_strength=10 float, source_module=11 string, "
        "radar_data=12 qiki.radar.v1.RadarFrame, radar_track=13 qiki.radar.v1.RadarTrack"
    ),
    "qiki.actuators.ActuatorCommand": (
        f"actuator_id=1 qiki.common.UUID, timestamp=2 {TIME}, float_value=3 float, int_value=4 int32, "
        "bool_value=5 bool, unit=6 qiki.common.Unit, command_type=7 qiki.actuators.ActuatorCommand.CommandType, "
        "vector_value=8 qiki.common.Vector3, confidence=9 float, command_id=10 qiki.common.UUID, "
        "timeout_ms=11 int32, ack_required=12 bool, retry_count=13 int32"
    ),
    "qiki.radar.v1.RadarDetection": (
        "range_m=1 double, bearing_deg=2 double, elev_deg=3 double, vr_mps=4 double, snr_db=5 double, "
        "rcs_dbsm=6 double, transponder_on=7 bool, transponder_mode=8 qiki.radar.v1.TransponderMode, "
        "transponder_id=9 string, range_band=90 qiki.radar.v1.RadarRangeBand, id_present=91 optional bool"
    ),
    "qiki.radar.v1.RadarFrame": (
        f"schema_version=1 uint32, frame_id=2 qiki.common.UUID, sensor_id=3 qiki.common.UUID, timestamp=4 {TIME}, "
        "detections=5 repeated qiki.radar.v1.RadarDetection"
    ),
    "qiki.radar.v1.RadarTrack": (
        "schema_version=1 uint32, track_id=2 qiki.common.UUID, object_type=3 qiki.radar.v1.ObjectType, "
        "iff=4 qiki.radar.v1.FriendFoe, transponder_on=5 bool, quality=6 double, range_m=7 double, "
        "bearing_deg=8 double, elev_deg=9 double, vr_mps=10 double, snr_db=11 double, rcs_dbsm=12 double, "
        f"timestamp=13 {TIME}, transponder_mode=14 qiki.radar.v1.TransponderMode, transponder_id=15 string, "
        "status=16 qiki.radar.v1.RadarTrackStatus, position=17 qiki.common.Vector3, velocity=18 qiki.common.Vector3, "
        "position_covariance=19 repeated double, velocity_covariance=20 repeated double, age_s=21 double, "
        "miss_count=22 uint32, range_band=90 qiki.radar.v1.RadarRangeBand, id_present=91 optional bool"
    ),
    "qiki.bios.DeviceStatus": (
        "device_id=1 qiki.common.UUID, device_name=2 string, status=3 qiki.bios.DeviceStatus.Status, "
        "error_message=4 string, device_type=5 qiki.bios.DeviceStatus.DeviceType, "
        "status_code=6 qiki.bios.DeviceStatus.StatusCode"
    ),
    "qiki.bios.BiosStatusReport": (
        f"timestamp=1 {TIME}, firmware_version=2 string, post_results=3 repeated qiki.bios.DeviceStatus, "
        "all_systems_go=4 bool, bios_uuid=5 qiki.common.UUID, health_score=6 float, "
        f"last_checked=7 {TIME}, uptime_sec=8 int64"
    ),
    "qiki.fsm.StateTransition": (
        f"timestamp=1 {TIME}, from_state=2 qiki.fsm.FSMStateEnum, to_state=3 qiki.fsm.FSMStateEnum, "
        "trigger_event=4 string, status=5 qiki.fsm.FSMTransitionStatus, error_message=6 string"
    ),
    "qiki.fsm.FsmStateSnapshot": (
        f"snapshot_id=1 qiki.common.UUID, timestamp=2 {TIME}, current_state=3 qiki.fsm.FSMStateEnum, "
        "history=4 repeated qiki.fsm.StateTransition, context_data=5 map, fsm_instance_id=6 qiki.common.UUID, "
        "state_metadata=7 map, source_module=9 string, attempt_count=10 int32"
    ),
    "qiki.mind.Proposal": (
        f"proposal_id=1 qiki.common.UUID, source_module_id=2 string, timestamp=3 {TIME}, "
        "proposed_actions=4 repeated qiki.actuators.ActuatorCommand, justification=5 string, priority=6 float, "
        "expected_duration=7 google.protobuf.Duration, type=8 qiki.mind.Proposal.ProposalType, metadata=9 map, "
        "confidence=10 float, status=11 qiki.mind.Proposal.ProposalStatus, "
        "depends_on=12 repeated qiki.common.UUID, conflicts_with=13 repeated qiki.common.UUID, "
        "proposal_signature=14 string"
    ),
}
ENUMS = {
    "SensorType": "LIDAR IMU CAMERA GPS THERMAL RADAR",
    "ActuatorType": "WHEEL_MOTOR SERVO GRIPPER ARM",
    "Unit": "METERS DEGREES PERCENT VOLTS AMPS WATTS MILLISECONDS KELVIN BAR",
    "CommandType": "SET_VELOCITY ROTATE ENABLE DISABLE SET_MODE",
    "Status": "OK WARNING ERROR NOT_FOUND",
    "DeviceType": "SENSOR ACTUATOR POWER_UNIT COMMUNICATION CONTROLLER",
    "StatusCode": "COMPONENT_NOT_FOUND UNSTABLE_READINGS TIMEOUT_RESPONSE CRITICAL_BOOT_FAILURE",
    "FSMStateEnum": "BOOTING IDLE ACTIVE ERROR_STATE SHUTDOWN",
    "FSMTransitionStatus": "SUCCESS FAILED PENDING",
    "ProposalType": "SAFETY PLANNING DIAGNOSTICS EXPLORATION",
    "ProposalStatus": "PENDING ACCEPTED REJECTED EXECUTED EXPIRED",
    "ObjectType": "DRONE SHIP STATION ASTEROID DEBRIS",
    "FriendFoe": "FRIEND FOE UNKNOWN",
    "RadarRangeBand": "RR_LR RR_SR",
    "RadarTrackStatus": (
        "RADAR_TRACK_STATUS_NEW RADAR_TRACK_STATUS_TRACKED RADAR_TRACK_STATUS_LOST RADAR_TRACK_STATUS_COASTING"
    ),
    "TransponderMode": "TRANSPONDER_MODE_ON TRANSPONDER_MODE_SILENT TRANSPONDER_MODE_SPOOF",
}
TYPES = {
    number: name.removeprefix("TYPE_").lower() for name, number in vars(FieldDescriptor).items() if name[:5] == "TYPE_"
}


def messages() -> dict[str, Descriptor]:
    return {one.full_name: one for file in FILES for one in file.message_types_by_name.values()}


def all_enums() -> dict[str, EnumDescriptor]:
    found = [one for file in FILES for one in file.enum_types_by_name.values()]
    found += [one for message in messages().values() for one in message.enum_types]
    return {one.name: one for one in found}


def spelled(field: FieldDescriptor) -> str:
    kind = field.message_type or field.enum_type
    name = kind.full_name if kind else TYPES[field.type]
    if field.message_type and field.message_type.GetOptions().map_entry:
        name = "map"
    elif field.is_repeated:
        name = f"repeated {name}"
    elif (
        field.has_presence
        and not field.message_type
        and not (field.containing_oneof and not field.containing_oneof.name.startswith("_"))
    ):
        name = f"optional {name}"
    return f"{field.name}={field.number} {name}"


def without_nesting(text: str) -> str:
    """Enum and message names without the package: where an enum is declared does not show on the wire."""
    return re.sub(r"qiki\.[\w.]*?(\w+)(?=,|$)", r"\1", text)


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_have_the_contracts_numbers_and_types(name: str):
    fields = sorted(messages()[name].fields, key=lambda field: field.number)
    assert without_nesting(", ".join(map(spelled, fields))) == without_nesting(MESSAGES[name])


@pytest.mark.parametrize("name", ENUMS)
def test_enums_have_the_contracts_numbers(name: str):
    values = {value.number: value.name for value in all_enums()[name].values}
    assert [values[number] for number in range(1, len(values))] == ENUMS[name].split()
    assert values[0].endswith(("_UNSPECIFIED", "_OFF"))


@pytest.mark.parametrize(
    ("python", "proto", "prefix"),
    [
        (enums.ObjectType, "ObjectType", ""),
        (enums.FriendFoe, "FriendFoe", ""),
        (enums.RadarRangeBand, "RadarRangeBand", ""),
        (enums.TransponderMode, "TransponderMode", "TRANSPONDER_MODE_"),
        (enums.RadarTrackStatus, "RadarTrackStatus", "RADAR_TRACK_STATUS_"),
        (enums.CommandType, "CommandType", ""),
        (enums.Unit, "Unit", ""),
    ],
)
def test_python_enums_are_the_protos(python: type, proto: str, prefix: str):
    assert {prefix + one.name: one.value for one in python} == {v.name: v.number for v in all_enums()[proto].values}


def test_the_services_methods_are_the_contracts():
    service = q_sim_api_pb2.DESCRIPTOR.services_by_name["QSimAPIService"]
    assert service.full_name == "qiki.api.QSimAPIService"
    assert {(one.name, one.server_streaming, one.client_streaming) for one in service.methods} == {
        ("GetSensorData", False, False),
        ("SendActuatorCommand", False, False),
        ("ListActuators", False, False),
        ("HealthCheck", False, False),
        ("GetRadarFrame", False, False),
        ("StreamRadarFrames", True, False),
    }
