"""The cruise drive."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.botspec.planes import DriveParameters
from qiki.world.vehicle.axes import Vector3
from qiki.world.vehicle.propulsion import Drive

DT_S = 0.05


def fly(drive: Drive, velocity: Vector3, steps: int, share: float = 1.0) -> Vector3:
    x, y, z = velocity
    for _ in range(steps):
        dx, dy, dz = drive.step(DT_S, (x, y, z), share)
        x, y, z = x + dx, y + dy, z + dz
    return x, y, z


def test_it_coasts_until_a_speed_is_commanded():
    assert fly(Drive(DriveParameters(), 0.0), (3.0, 4.0, 5.0), 100) == (3.0, 4.0, 5.0)


def test_it_reaches_the_commanded_speed_along_the_heading_and_stays():
    drive = Drive(DriveParameters(), heading_deg=90.0)
    drive.cruise(0.5)
    assert fly(drive, (0.0, 0.0, 0.0), 10) == pytest.approx((0.25, 0.0, 0.0))  # 0.5 m/s² for 0.5 s
    assert fly(drive, (0.25, 0.0, 0.0), 100) == pytest.approx((0.5, 0.0, 0.0))


def test_zero_percent_brings_it_to_rest():
    drive = Drive(DriveParameters(), 0.0)
    drive.cruise(0.0)
    assert fly(drive, (0.3, -0.4, 0.2), 100) == pytest.approx((0.0, 0.0, 0.0))


@given(st.floats(0.0, 1.0), st.floats(0.0, 360.0), st.tuples(*[st.floats(-5.0, 5.0)] * 3))
def test_it_never_accelerates_faster_than_it_can(fraction: float, heading_deg: float, velocity: Vector3):
    drive = Drive(DriveParameters(), heading_deg)
    drive.cruise(fraction)
    assert math.hypot(*drive.step(DT_S, velocity, 1.0)) <= 0.5 * DT_S * (1 + 1e-9)


def test_a_turn_takes_its_time():
    drive = Drive(DriveParameters(), 350.0)
    drive.turn(45.0)
    fly(drive, (0.0, 0.0, 0.0), 20)  # 1 s at 30 °/s
    assert drive.heading_deg == pytest.approx(20.0)
    fly(drive, (0.0, 0.0, 0.0), 20)
    assert drive.heading_deg == pytest.approx(35.0)


def test_turns_add_up():
    drive = Drive(DriveParameters(), 0.0)
    drive.turn(-30.0)
    drive.turn(-60.0)
    fly(drive, (0.0, 0.0, 0.0), 100)
    assert drive.heading_deg == pytest.approx(270.0)


def test_the_velocity_follows_the_turned_heading():
    drive = Drive(DriveParameters(), 0.0)
    drive.cruise(1.0)
    drive.turn(90.0)
    assert fly(drive, (0.0, 0.0, 0.0), 400) == pytest.approx((1.0, 0.0, 0.0))


def test_less_power_is_less_speed_and_none_lets_it_coast():
    drive = Drive(DriveParameters(), 0.0)
    drive.cruise(1.0)
    assert fly(drive, (0.0, 0.0, 0.0), 100, share=0.5) == pytest.approx((0.0, 0.5, 0.0))
    assert fly(drive, (0.0, 0.5, 0.0), 100, share=0.0) == pytest.approx((0.0, 0.5, 0.0))
    assert drive.speed_mps == 0.0


def test_stop_ends_speed_and_turn():
    drive = Drive(DriveParameters(), 10.0)
    drive.cruise(1.0)
    drive.turn(90.0)
    drive.stop()
    assert fly(drive, (0.1, 0.0, 0.0), 10) == (0.1, 0.0, 0.0)
    assert drive.heading_deg == 10.0
