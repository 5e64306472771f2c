"""Telemetry compared with the configuration that the bot should be made from."""

import pytest

from qiki.botspec import DEFAULT_SPEC, generate, load_spec
from qiki_harness.smoke.checks.simulator import telemetry_faults


@pytest.fixture
def config(tmp_path):
    def make(*changes):
        text = DEFAULT_SPEC.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "bot.yaml"
        path.write_text(text)
        return generate(load_spec(path))

    return make


def test_the_bot_of_the_specification_shows_no_fault(telemetry, config):
    assert not list(telemetry_faults(telemetry, config()))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[LIDAR, IMU, GPS, THERMAL, RADAR]", "[LIDAR, RADAR]", "sensors not specified: gps, imu, thermal"),
        ("trip_c: 90.0", "trip_c: 91.5", "core trips at 90 °C, specified 91.5 °C"),
        ("propellant_kg: 12.0", "propellant_kg: 11.0", "12 kg of propellant, of 11"),
    ],
)
def test_another_bot_shows(telemetry, config, old, new, fault):
    assert list(telemetry_faults(telemetry, config((old, new)))) == [fault]


def test_a_sensor_that_is_missing_shows(telemetry, config):
    fewer = {name: state for name, state in telemetry.sensors.items() if name != "lidar"}
    faults = telemetry_faults(telemetry.model_copy(update={"sensors": fewer}), config())
    assert list(faults) == ["sensors missing: lidar"]
