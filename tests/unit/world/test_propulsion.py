"""Thrusters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.botspec.planes import PropulsionParameters
from qiki.world.vehicle.axes import BODY_AXES, Axis, Vector3, to_world
from qiki.world.vehicle.propulsion import Thrusters

DT_S = 0.05
EXHAUST_MPS = 60.0 * 9.80665


def burn(thrusters: Thrusters, steps: int, share: float = 1.0) -> tuple[float, float, float]:
    total = [0.0, 0.0, 0.0]
    for _ in range(steps):
        for axis, change in enumerate(thrusters.step(DT_S, share)):
            total[axis] += change
    return total[0], total[1], total[2]


def test_a_pulse_changes_velocity_as_tsiolkovsky_says():
    thrusters = Thrusters(PropulsionParameters())
    thrusters.fire(Axis.FORWARD, 1.0, 10.0)
    forward, starboard, up = burn(thrusters, 300)
    burnt_kg = 20.0 * 10.0 / EXHAUST_MPS
    assert thrusters.propellant_kg == pytest.approx(12.0 - burnt_kg)
    assert forward == pytest.approx(EXHAUST_MPS * math.log(62.0 / (62.0 - burnt_kg)))
    assert (starboard, up) == (0.0, 0.0)
    assert thrusters.throttle == 0


def test_a_pulse_shorter_than_a_tick_gives_its_part():
    thrusters = Thrusters(PropulsionParameters())
    thrusters.fire(Axis.UP, 0.5, 0.01)
    _, _, up = burn(thrusters, 3)
    assert up == pytest.approx(0.5 * 20.0 * 0.01 / 62.0, rel=1e-5)


def test_opposite_thrusters_cancel_but_burn():
    thrusters = Thrusters(PropulsionParameters())
    thrusters.fire(Axis.PORT, 1.0, 1.0)
    thrusters.fire(Axis.STARBOARD, 1.0, 1.0)
    assert burn(thrusters, 20) == (0.0, 0.0, 0.0)
    assert thrusters.propellant_kg == pytest.approx(12.0 - 2 * 20.0 / EXHAUST_MPS)


def test_an_empty_tank_ends_the_thrust():
    thrusters = Thrusters(PropulsionParameters(propellant_kg=0.01))
    thrusters.fire(Axis.AFT, 1.0, 100.0)
    aft, _, _ = burn(thrusters, 2000)
    assert thrusters.propellant_kg == 0.0
    assert aft == pytest.approx(-EXHAUST_MPS * math.log(50.01 / 50.0))
    assert thrusters.throttle == 0


def test_a_new_pulse_takes_the_place_of_the_one_on_its_axis_only():
    thrusters = Thrusters(PropulsionParameters())
    thrusters.fire(Axis.UP, 1.0, 10.0)
    thrusters.fire(Axis.FORWARD, 1.0, 10.0)
    thrusters.fire(Axis.UP, 0.25, 10.0)
    assert thrusters.throttle == 1.25
    thrusters.fire(Axis.UP, 0.0, 10.0)
    assert thrusters.throttle == 1.0
    thrusters.stop()
    assert thrusters.throttle == 0


def test_less_power_is_less_thrust_and_less_propellant():
    half = Thrusters(PropulsionParameters())
    half.fire(Axis.FORWARD, 1.0, 1.0)
    forward, _, _ = burn(half, 20, share=0.5)
    assert forward == pytest.approx(10.0 / 62.0, rel=1e-3)
    assert 12.0 - half.propellant_kg == pytest.approx(10.0 / EXHAUST_MPS)


@given(st.sampled_from(list(Axis)), st.floats(0.01, 1.0), st.floats(0.01, 20.0), st.integers(1, 7))
def test_velocity_gained_does_not_depend_on_how_time_is_cut(
    axis: Axis, fraction: float, duration_s: float, pieces: int
):
    whole, cut = Thrusters(PropulsionParameters()), Thrusters(PropulsionParameters())
    whole.fire(axis, fraction, duration_s)
    cut.fire(axis, fraction, duration_s)
    at_once = whole.step(duration_s, 1.0)
    total = [0.0, 0.0, 0.0]
    for _ in range(pieces):
        total = [sum(pair) for pair in zip(total, cut.step(duration_s / pieces, 1.0), strict=True)]
    assert total == pytest.approx(at_once, rel=1e-9)


@pytest.mark.parametrize(
    ("axis", "world"),
    [
        (Axis.FORWARD, (1.0, 0.0, 0.0)),
        (Axis.AFT, (-1.0, 0.0, 0.0)),
        (Axis.STARBOARD, (0.0, -1.0, 0.0)),
        (Axis.PORT, (0.0, 1.0, 0.0)),
        (Axis.UP, (0.0, 0.0, 1.0)),
        (Axis.DOWN, (0.0, 0.0, -1.0)),
    ],
)
def test_axes_of_a_vehicle_that_heads_east(axis: Axis, world: Vector3):
    assert to_world(BODY_AXES[axis], 90.0) == pytest.approx(world, abs=1e-15)


@given(st.tuples(*[st.floats(-10.0, 10.0)] * 3), st.floats(0.0, 360.0))
def test_turning_keeps_lengths(body: Vector3, heading_deg: float):
    assert math.hypot(*to_world(body, heading_deg)) == pytest.approx(math.hypot(*body), abs=1e-12)
