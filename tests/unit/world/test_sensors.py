"""Sensors: noise, health and identity."""

import numpy as np
import pytest

from qiki.botspec.planes.sensors import SensorKind, SensorParameters, sensor_id
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.world.vehicle.sensors import Sensors


def sensors(seed: int = 1, **values: object) -> Sensors:
    return Sensors(SensorParameters.model_validate(values), np.random.default_rng(seed))


def test_a_reading_stays_the_same_until_the_next_tick():
    suite = sensors()
    suite.step(0.05)
    first = suite.position_m((1.0, 2.0, 3.0))
    assert suite.position_m((1.0, 2.0, 3.0)) == first
    suite.step(0.05)
    assert suite.position_m((1.0, 2.0, 3.0)) != first


def test_noise_has_the_spread_that_was_asked_for():
    suite = sensors(gps_sigma_m=2.0)
    errors = []
    for _ in range(4000):
        suite.step(0.05)
        errors.extend(suite.position_m((0.0, 0.0, 0.0)))
    assert np.std(errors) == pytest.approx(2.0, rel=0.05)
    assert abs(np.mean(errors)) < 4 * 2.0 / np.sqrt(len(errors))


def test_without_noise_readings_are_the_truth():
    suite = sensors(imu_sigma_deg=0.0, gps_sigma_m=0.0, lidar_sigma_m=0.0, thermal_sigma_k=0.0)
    suite.step(0.05)
    assert suite.attitude_deg(123.0) == (0.0, 0.0, 123.0)
    assert suite.position_m((1.0, 2.0, 3.0)) == (1.0, 2.0, 3.0)
    assert suite.temperature_k(25.0) == pytest.approx(298.15)
    assert suite.range_m(199.0) == 199.0


def test_the_lidar_has_an_end():
    assert sensors().range_m(200.1) is None
    assert sensors().range_m(None) is None


def test_failures_come_at_their_rate_and_are_repaired():
    suite = sensors(mean_time_between_failures_s={SensorKind.GPS: 20.0}, repair_s=2.0)
    failures = down = 0
    for _ in range(40_000):  # 2,000 s
        changed = suite.step(0.05)
        assert set(changed) <= {SensorKind.GPS}
        failures += bool(changed) and not suite.works(SensorKind.GPS)
        down += not suite.works(SensorKind.GPS)
    assert failures == pytest.approx(2000 / 22, abs=4 * np.sqrt(90))
    assert down * 0.05 / failures == pytest.approx(2.0, rel=0.03)


def test_sensors_that_are_not_fitted_do_not_work():
    suite = sensors(fitted=(SensorKind.IMU,))
    assert suite.works(SensorKind.IMU)
    assert not suite.works(SensorKind.GPS)


def test_every_sensor_has_an_identity_of_its_own():
    assert len({sensor_id(kind) for kind in SensorKind}) == len(SensorKind)
    assert sensor_id(SensorKind.RADAR) == RADAR_SENSOR_ID
