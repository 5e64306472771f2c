"""The power-on self test: the declared devices against the answers of the vehicle."""

from collections.abc import Iterator
from uuid import UUID

from qiki.agent.sim_instant import SimInstant, named
from qiki.agent.vehicle import Answers, Reading
from qiki.botspec.config import Actuator, BotConfig, FittedSensor
from qiki.botspec.planes.sensors import SensorKind
from qiki.contracts.enums import DeviceCode, DeviceStatus, DeviceType
from qiki.contracts.events.agent import BiosStatus, DeviceReport
from qiki.contracts.models import TelemetrySnapshot

FIRMWARE = "1.0"
STOPPING = frozenset({DeviceStatus.ERROR, DeviceStatus.NOT_FOUND})
MAY_SEE_NOTHING = frozenset({SensorKind.LIDAR})
"""Sensors whose reading is not valid when nothing is in range, which is no fault."""


def examine(config: BotConfig, answers: Answers, own: TelemetrySnapshot) -> tuple[DeviceReport, ...]:
    """Return one row for each declared device, the simulator, power and communication."""
    hardware = config.hardware_profile
    return (
        _controller(answers),
        *(_sensor(one, answers, own) for one in hardware.sensors),
        *(_actuator(one, answers) for one in hardware.actuators),
        *_units(own),
    )


def status(rows: tuple[DeviceReport, ...], instant: SimInstant, uptime_s: float) -> BiosStatus:
    """Return the report of these rows."""
    well = sum(row.status is DeviceStatus.OK for row in rows)
    return BiosStatus(
        ts_epoch=instant.t_s,
        run_id=instant.run_id,
        bios_uuid=instant.id("bios"),
        firmware_version=FIRMWARE,
        all_systems_go=not any(row.status in STOPPING for row in rows),
        health_score=well / len(rows),
        last_checked=instant.moment,
        uptime_sec=int(uptime_s),
        post_results=rows,
    )


def _controller(answers: Answers) -> DeviceReport:
    name = "q_sim_service"
    fault = (DeviceStatus.ERROR, DeviceCode.CRITICAL_BOOT_FAILURE) if answers.controller else None
    return _row(named("unit", name), name, DeviceType.CONTROLLER, fault, answers.controller)


def _sensor(sensor: FittedSensor, answers: Answers, own: TelemetrySnapshot) -> DeviceReport:
    name = sensor.type.name.lower()
    fault, message = _sensor_fault(sensor, answers.readings.get(int(sensor.type), "it does not answer"), own)
    return _row(sensor.id, name, DeviceType.SENSOR, fault, message)


_Fault = tuple[DeviceStatus, DeviceCode] | None
_MISSING = (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND)
_WARNED = (DeviceStatus.WARNING, DeviceCode.STATUS_CODE_UNSPECIFIED)


def _sensor_fault(sensor: FittedSensor, reading: Reading | str, own: TelemetrySnapshot) -> tuple[_Fault, str]:
    if isinstance(reading, str):
        return _MISSING, reading
    if reading.sensor_id != str(sensor.id):
        return _MISSING, f"{reading.sensor_id or 'nobody'} answers in its place"
    if reading.is_valid and reading.has_data:
        return None, ""
    if not _works(sensor.type, own):
        return (DeviceStatus.ERROR, DeviceCode.UNSTABLE_READINGS), "its readings are not valid"
    return (None, "") if sensor.type in MAY_SEE_NOTHING else (_WARNED, "it has no reading now")


def _works(kind: SensorKind, own: TelemetrySnapshot) -> bool:
    """Return whether telemetry says that a sensor works: a working one may have nothing to read."""
    entry = own.sensors.get(kind.name.lower())
    return isinstance(entry, dict) and entry.get("ok") is True


def _actuator(actuator: Actuator, answers: Answers) -> DeviceReport:
    report = answers.actuators.get(actuator.id)
    fault: _Fault
    if report is None:
        fault, message = _MISSING, "it is not fitted"
    elif report.role != actuator.role:
        fault, message = _MISSING, f"{report.role or 'nobody'} has its id"
    else:
        fault, message = None if report.ready else _WARNED, report.message
    return _row(actuator.id, actuator.role, DeviceType.ACTUATOR, fault, message)


def _units(own: TelemetrySnapshot) -> Iterator[DeviceReport]:
    """Yield power and communication, by telemetry."""
    faults = ", ".join(own.power.faults)
    yield _row(named("unit", "power"), "power", DeviceType.POWER_UNIT, _WARNED if faults else None, faults)
    barred = "" if own.comms.xpdr_allowed else "the transponder is not allowed to send"
    yield _row(named("unit", "comms"), "comms", DeviceType.COMMUNICATION, _WARNED if barred else None, barred)


def _row(device_id: UUID, name: str, kind: DeviceType, fault: _Fault, message: str) -> DeviceReport:
    state, code = fault or (DeviceStatus.OK, DeviceCode.STATUS_CODE_UNSPECIFIED)
    return DeviceReport(
        device_id=device_id,
        device_name=name,
        status=state,
        error_message=message if fault else "",
        device_type=kind,
        status_code=code,
    )
