"""Sensor readings as they go out."""

from typing import Any
from uuid import UUID

import pytest

from generated import common_types_pb2 as common
from generated.sensor_raw_in_pb2 import SensorReading
from q_sim_service.protobuf import reading
from qiki.botspec.planes import BotParameters, SensorKind, SensorParameters, sensor_id
from qiki.contracts.protobuf import timestamp_from_proto
from qiki.world.errors import NoSensorError
from qiki.world.scenario import Scenario
from qiki.world.sensors import SENSORS, choose
from qiki.world.world import SimWorld

EXACT = SensorParameters(imu_sigma_deg=0.0, gps_sigma_m=0.0, lidar_sigma_m=0.0, thermal_sigma_k=0.0)
START = {"position_m": [10, 20, 30], "heading_deg": 90}
ROCK = {"id": "rock", "object_type": "ASTEROID", "motion": {"kind": "constant_velocity", "position_m": [10, 120, 30]}}


def world(sensors: SensorParameters = EXACT, **fields: Any) -> SimWorld:
    scenario = Scenario.model_validate({"name": "test", "description": "for tests", "bot": START} | fields)
    return SimWorld(scenario, BotParameters(sensors=sensors), 1, UUID(int=1))


def read(simulated: SimWorld, kind: SensorKind) -> SensorReading:
    for _ in range(2):
        simulated.tick()
    return reading(simulated, SENSORS[kind])


@pytest.mark.parametrize(
    ("kind", "unit", "values"),
    [
        (SensorKind.LIDAR, common.METERS, [100.0]),
        (SensorKind.IMU, common.DEGREES, [0.0, 0.0, 90.0]),
        (SensorKind.GPS, common.METERS, [10.0, 20.0, 30.0]),
        (SensorKind.THERMAL, common.KELVIN, [298.15]),
    ],
)
def test_a_reading_is_what_the_sensor_sees(kind: SensorKind, unit: int, values: list[float]):
    simulated = world(contacts=[ROCK])
    message = read(simulated, kind)
    vector = message.vector_data
    measured = [vector.x, vector.y, vector.z] if message.HasField("vector_data") else [message.scalar_data]
    assert measured == pytest.approx(values, abs=0.1)
    assert (message.sensor_type, message.unit, message.is_valid, message.signal_strength) == (kind, unit, True, 1.0)
    assert message.sensor_id.value == str(sensor_id(kind))
    assert timestamp_from_proto(message.timestamp) == simulated.timestamp


def test_the_radars_reading_is_the_newest_frame():
    simulated = world(contacts=[ROCK])
    message = read(simulated, SensorKind.RADAR)
    assert (message.is_valid, message.encoding) == (True, "qiki.radar.v1")
    assert timestamp_from_proto(message.radar_data.timestamp) == simulated.timestamp


def test_without_a_frame_the_radar_has_no_reading():
    message = reading(world(), SENSORS[SensorKind.RADAR])
    assert (message.is_valid, message.WhichOneof("sensor_data")) == (False, None)


def test_without_anything_near_the_lidar_has_no_reading():
    message = read(world(), SensorKind.LIDAR)
    assert (message.is_valid, message.WhichOneof("sensor_data"), message.unit) == (False, None, common.METERS)


def test_a_failed_sensor_has_no_reading():
    failing = SensorParameters(mean_time_between_failures_s={SensorKind.GPS: 1e-6})
    message = read(world(failing), SensorKind.GPS)
    assert (message.is_valid, message.WhichOneof("sensor_data"), message.signal_strength) == (False, None, 0.0)


def test_two_who_ask_in_the_same_tick_get_the_same():
    simulated = world(SensorParameters())
    for _ in range(10):
        sensor = choose(simulated, 0)
        assert choose(simulated, 0) is sensor
        assert reading(simulated, sensor) == reading(simulated, sensor)
        simulated.tick()


def test_the_turn_goes_round_with_the_ticks():
    simulated = world(SensorParameters(fitted=(SensorKind.IMU, SensorKind.RADAR)))
    turns = []
    for _ in range(4):
        turns.append(choose(simulated, 0).kind)
        simulated.tick()
    assert turns == [SensorKind.IMU, SensorKind.RADAR] * 2


@pytest.mark.parametrize("sensor_type", [3, 99, -1])
def test_a_sensor_that_is_not_fitted(sensor_type: int):
    with pytest.raises(NoSensorError, match=r"is fitted \(expected one of: LIDAR \(1\), IMU \(2\)"):
        choose(world(), sensor_type)
