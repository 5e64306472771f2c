"""The self test: the declared devices against the answers of the vehicle, its schedule, and its last report."""

from collections.abc import Iterator
from uuid import UUID

from qiki.agent.sim_instant import SimInstant, named
from qiki.agent.vehicle import Answers, Reading
from qiki.botspec.config import Actuator, BotConfig, FittedSensor
from qiki.botspec.planes import SensorKind
from qiki.contracts.enums import DeviceCode, DeviceStatus, DeviceType
from qiki.contracts.events import BiosStatus, DeviceReport
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.state import State, Stateful

FIRMWARE = "1.0"
STOPPING = frozenset({DeviceStatus.ERROR, DeviceStatus.NOT_FOUND})
RETRY_S = 1.0
"""Until the next try when the vehicle does not answer."""
MAY_SEE_NOTHING = frozenset({SensorKind.LIDAR})
"""Sensors whose reading is not valid when nothing is in range, which is no fault."""


class SelfTest(Stateful):
    """Keeps the BIOS status up to date from answers that its owner fetches when due.

    Attributes:
        status: the last report; None before the first, and while the vehicle does not answer
        answered: whether there ever was a report
    """

    STATE = State(
        _asked=tuple[str, float], _uptime_s=float, _last=SimInstant | None, status=BiosStatus | None, answered=bool
    )

    def __init__(self, config: BotConfig, interval_s: float) -> None:
        self._config, self._interval_s = config, interval_s
        self._asked = ("", 0.0)
        self._uptime_s = 0.0
        self._last: SimInstant | None = None
        self.status: BiosStatus | None = None
        self.answered = False

    def due(self, run_id: str, now_s: float) -> bool:
        """Return whether the interval is over, or another run has begun."""
        asked_run, asked_s = self._asked
        wait_s = self._interval_s if self.status else min(RETRY_S, self._interval_s)
        return run_id != asked_run or now_s - asked_s >= wait_s

    def pass_time(self, instant: SimInstant) -> None:
        """Count simulated time since the boot, through all runs."""
        if self._last is not None and self._last.run_id == instant.run_id:
            self._uptime_s += max(0.0, instant.t_s - self._last.t_s)
        self._last = instant

    def take(self, answers: Answers, own: TelemetrySnapshot, instant: SimInstant, now_s: float) -> BiosStatus | None:
        """Judge the answers; return the report if it differs from the last one."""
        self._asked = instant.run_id, now_s
        before, self.status = self.status, None
        if answers.timed_out:
            return None
        self.answered = True
        self.status = status(examine(self._config, answers, own), instant, self._uptime_s)
        known = before is not None and before.post_results == self.status.post_results
        return None if known else self.status


def examine(config: BotConfig, answers: Answers, own: TelemetrySnapshot) -> tuple[DeviceReport, ...]:
    """Return one row for each declared device, the simulator, power and communication."""
    hardware = config.hardware_profile
    return (
        _unit("q_sim_service", DeviceType.CONTROLLER, _FAILED if answers.controller else None, answers.controller),
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


_Fault = tuple[DeviceStatus, DeviceCode] | None
_FAILED = (DeviceStatus.ERROR, DeviceCode.CRITICAL_BOOT_FAILURE)
_MISSING = (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND)
_WARNED = (DeviceStatus.WARNING, DeviceCode.STATUS_CODE_UNSPECIFIED)


def _sensor(sensor: FittedSensor, answers: Answers, own: TelemetrySnapshot) -> DeviceReport:
    fault, message = _sensor_fault(sensor, answers.readings.get(int(sensor.type), "it does not answer"), own)
    return _row(sensor.id, sensor.type.name.lower(), DeviceType.SENSOR, fault, message)


def _sensor_fault(sensor: FittedSensor, reading: Reading | str, own: TelemetrySnapshot) -> tuple[_Fault, str]:
    if isinstance(reading, str):
        return _MISSING, reading
    if reading.sensor_id != str(sensor.id):
        return _MISSING, f"{reading.sensor_id or 'nobody'} answers in its place"
    if reading.is_valid and reading.has_data:
        return None, ""
    entry = own.sensors.get(sensor.type.name.lower())  # a sensor that works by telemetry may have nothing to read
    if not isinstance(entry, dict) or entry.get("ok") is not True:
        return (DeviceStatus.ERROR, DeviceCode.UNSTABLE_READINGS), "its readings are not valid"
    return (None, "") if sensor.type in MAY_SEE_NOTHING else (_WARNED, "it has no reading now")


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
    yield _unit("power", DeviceType.POWER_UNIT, _WARNED if faults else None, faults)
    barred = "" if own.comms.xpdr_allowed else "the transponder is not allowed to send"
    yield _unit("comms", DeviceType.COMMUNICATION, _WARNED if barred else None, barred)


def _unit(name: str, kind: DeviceType, fault: _Fault, message: str) -> DeviceReport:
    return _row(named("unit", name), name, kind, fault, message)


def _row(device_id: UUID, name: str, kind: DeviceType, fault: _Fault, message: str) -> DeviceReport:
    state, code = fault or (DeviceStatus.OK, DeviceCode.STATUS_CODE_UNSPECIFIED)
    message = message if fault else ""
    return DeviceReport(
        device_id=device_id, device_name=name, device_type=kind, status=state, status_code=code, error_message=message
    )
