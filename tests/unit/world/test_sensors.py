"""Sensors: noise, health and identity."""

from uuid import UUID

import numpy as np
import pytest

from qiki.botspec.planes import BotParameters, SensorKind, SensorParameters, sensor_id
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.world.scenario import Scenario
from qiki.world.sensors import SENSORS, read
from qiki.world.vehicle.sensors import Sensors
from qiki.world.world import SimWorld


def sensors(seed: int = 1, **values: object) -> Sensors:
    return Sensors(SensorParameters.model_validate(values), np.random.default_rng(seed))


def test_a_reading_stays_the_same_until_the_next_tick():
    suite = sensors()
    suite.step(0.05)
    first = suite.blur(SensorKind.GPS, (1.0, 2.0, 3.0), 1.0)
    assert suite.blur(SensorKind.GPS, (1.0, 2.0, 3.0), 1.0) == first
    suite.step(0.05)
    assert suite.blur(SensorKind.GPS, (1.0, 2.0, 3.0), 1.0) != first


def test_noise_has_the_spread_that_was_asked_for():
    suite = sensors()
    errors = []
    for _ in range(4000):
        suite.step(0.05)
        errors.extend(suite.blur(SensorKind.GPS, (0.0, 0.0, 0.0), 2.0))
    assert np.std(errors) == pytest.approx(2.0, rel=0.05)
    assert abs(np.mean(errors)) < 4 * 2.0 / np.sqrt(len(errors))


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


def test_every_kind_is_one_object():
    assert {kind: sensor.kind for kind, sensor in SENSORS.items()} == {kind: kind for kind in SensorKind}


@pytest.mark.parametrize(("away_m", "expected"), [(199.0, 199.0), (200.1, None)])
def test_the_lidar_sees_the_nearest_contact_within_its_reach(away_m: float, expected: float | None):
    rock = {
        "id": "rock",
        "object_type": "ASTEROID",
        "motion": {"kind": "constant_velocity", "position_m": [0, away_m, 0]},
    }
    scenario = Scenario.model_validate({"name": "test", "description": "for tests", "contacts": [rock]})
    world = SimWorld(scenario, BotParameters(sensors=SensorParameters(lidar_sigma_m=0.0)), 1, UUID(int=1))
    assert read(world, SENSORS[SensorKind.LIDAR]) == expected
