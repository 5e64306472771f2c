"""The self test: every device that is declared, against what answers."""

from typing import Any

import pytest

from qiki.agent.mode.bios import RETRY_S, SelfTest, examine, status
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import ActuatorReport, Reading
from qiki.botspec import BotConfig
from qiki.botspec.planes import SensorKind, sensor_id
from qiki.contracts.enums import DeviceCode, DeviceStatus, DeviceType
from qiki.contracts.events import DeviceReport

INSTANT = SimInstant("6f1c3d1e-0000-4000-8000-000000000001", 1_790_000_000.0, 1)
FAILED = (DeviceStatus.ERROR, DeviceCode.UNSTABLE_READINGS, "its readings are not valid")
LIDAR, GPS, RADAR = SensorKind.LIDAR, SensorKind.GPS, SensorKind.RADAR


def row(rows: tuple[DeviceReport, ...], name: str) -> tuple[DeviceStatus, DeviceCode, str]:
    (found,) = (one for one in rows if one.device_name == name)
    return found.status, found.status_code, found.error_message


def invalid(kind: SensorKind) -> Reading:
    return Reading(str(sensor_id(kind)), is_valid=False, has_data=False)


def test_vehicle_in_order(config: BotConfig, make: Any):
    rows = examine(config, make.answers(config), make.telemetry())
    hardware = config.hardware_profile
    kinds = [one.device_type for one in rows]
    assert kinds.count(DeviceType.SENSOR) == len(hardware.sensors)
    assert kinds.count(DeviceType.ACTUATOR) == len(hardware.actuators)
    assert {one.status for one in rows} == {DeviceStatus.OK}
    assert len({one.device_id for one in rows}) == len(rows)
    report = status(rows, INSTANT, 12.9)
    assert (report.all_systems_go, report.health_score, report.uptime_sec) == (True, 1.0, 12)
    assert (report.run_id, report.last_checked) == (INSTANT.run_id, INSTANT.moment)
    assert report.bios_uuid == status(rows, INSTANT, 0.0).bios_uuid


@pytest.mark.parametrize(
    ("kind", "reading", "failed", "expected"),
    [
        (GPS, None, (), (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND, "it does not answer")),
        (GPS, "none is fitted", (), (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND, "none is fitted")),
        (
            GPS,
            Reading("", is_valid=True, has_data=True),
            (),
            (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND, "nobody answers in its place"),
        ),
        (GPS, invalid(GPS), ("gps",), FAILED),
        (LIDAR, invalid(LIDAR), ("lidar",), FAILED),
        (LIDAR, invalid(LIDAR), (), (DeviceStatus.OK, 0, "")),
        (RADAR, invalid(RADAR), (), (DeviceStatus.WARNING, 0, "it has no reading now")),
    ],
)  # fmt: skip
def test_sensor(
    config: BotConfig, make: Any, kind: SensorKind, reading: Any, failed: tuple[str, ...], expected: tuple[Any, ...]
):
    answers = make.answers(config, readings={int(kind): reading})
    rows = examine(config, answers, make.telemetry(failed=failed))
    assert row(rows, kind.name.lower()) == expected
    assert status(rows, INSTANT, 0.0).all_systems_go is (expected[0] in {DeviceStatus.OK, DeviceStatus.WARNING})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND, "it is not fitted")),
        (
            ActuatorReport("rcs_aft", ready=True),
            (DeviceStatus.NOT_FOUND, DeviceCode.COMPONENT_NOT_FOUND, "rcs_aft has its id"),
        ),
        (ActuatorReport("rcs_up", ready=False, message="no propellant"), (DeviceStatus.WARNING, 0, "no propellant")),
    ],
)
def test_actuator(config: BotConfig, make: Any, state: ActuatorReport | None, expected: tuple[Any, ...]):
    (identity,) = (one.id for one in config.hardware_profile.actuators if one.role == "rcs_up")
    rows = examine(config, make.answers(config, actuators={identity: state}), make.telemetry())
    assert row(rows, "rcs_up") == expected


def test_controller_power_and_comms(config: BotConfig, make: Any):
    own = make.telemetry(power={"faults": ("BATTERY_LOW", "SUPPLY_LIMIT")}, comms={"xpdr_allowed": False})
    rows = examine(config, make.answers(config, controller="status ERROR"), own)
    assert row(rows, "q_sim_service") == (DeviceStatus.ERROR, DeviceCode.CRITICAL_BOOT_FAILURE, "status ERROR")
    assert row(rows, "power")[::2] == (DeviceStatus.WARNING, "BATTERY_LOW, SUPPLY_LIMIT")
    assert row(rows, "comms")[0] is DeviceStatus.WARNING
    report = status(rows, INSTANT, 0.0)
    assert (report.all_systems_go, report.health_score) == (False, pytest.approx(1 - 3 / len(rows)))


def test_only_news_is_reported(config: BotConfig, make: Any):
    test, well, own = SelfTest(config, 5.0), make.answers(config), make.telemetry()
    warned = make.telemetry(power={"faults": ("BATTERY_LOW",)})
    assert test.take(well, own, INSTANT, 0.0) is test.status is not None
    assert test.take(well, own, INSTANT, 5.0) is None
    assert test.take(well, warned, INSTANT, 10.0) is test.status is not None
    assert test.take(make.answers(config, timed_out=True), warned, INSTANT, 15.0) is None
    assert (test.status, test.answered) == (None, True)
    assert test.take(well, warned, INSTANT, 16.0) is test.status is not None  # it is back, which is news


def test_when_it_is_due(config: BotConfig, make: Any):
    test, own = SelfTest(config, 5.0), make.telemetry()
    assert test.due(INSTANT.run_id, 0.0)
    test.take(make.answers(config), own, INSTANT, 0.0)
    assert [test.due(INSTANT.run_id, now_s) for now_s in (0.0, 4.9, 5.0)] == [False, False, True]
    assert test.due("another run", 0.1)
    test.take(make.answers(config, timed_out=True), own, INSTANT, 5.0)
    assert [test.due(INSTANT.run_id, 5.0 + wait_s) for wait_s in (0.9 * RETRY_S, RETRY_S)] == [False, True]


def test_uptime_is_simulated_time_through_all_runs(config: BotConfig, make: Any):
    test = SelfTest(config, 5.0)
    for run, t_s in (("a", 100.0), ("a", 107.0), ("b", 100.0), ("b", 103.5)):
        test.pass_time(SimInstant(run, t_s, 1))
    test.take(make.answers(config), make.telemetry(), INSTANT, 0.0)
    assert test.status is not None
    assert test.status.uptime_sec == 10
