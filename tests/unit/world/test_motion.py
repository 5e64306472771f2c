"""Motions against their closed forms and laws."""

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qiki.world.motion import Motions
from qiki.world.scenario.motion import (
    ConstantVelocitySpec,
    CoordinatedTurnSpec,
    Leg,
    MotionSpec,
    OrbitSpec,
    WaypointsSpec,
)

Vector = tuple[float, float, float]

metres = st.floats(-5000, 5000)
speeds = st.floats(-200, 200)
times = st.floats(0, 3600)
points = st.tuples(metres, metres, metres)
velocities = st.tuples(speeds, speeds, speeds)
turns = st.builds(
    CoordinatedTurnSpec,
    position_m=points,
    velocity_mps=velocities,
    turn_rate_dps=st.floats(-30, 30),
    begins_s=st.floats(0, 100),
    lasts_s=st.none() | st.floats(0, 100),
)
orbits = st.builds(
    OrbitSpec,
    centre_m=points,
    radius_m=st.floats(1, 5000),
    period_s=st.floats(10, 1000),
    inclination_deg=st.floats(0, 180),
    node_deg=st.floats(0, 360),
    phase_deg=st.floats(0, 360),
)
routes = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=6, unique=True)


def at(motion: MotionSpec, t_s: float) -> tuple[np.ndarray, np.ndarray]:
    positions, velocities = Motions([motion]).at(np.array([t_s]))
    return positions[0], velocities[0]


def waypoints(route: list[tuple[int, int]], then: str = "hold", turn: float | None = None) -> WaypointsSpec:
    start, *rest = [(100.0 * x, 100.0 * y, 0.0) for x, y in route]
    legs = tuple(Leg(to_m=to, speed_mps=25.0) for to in rest)
    return WaypointsSpec(position_m=start, legs=legs, then=then, turn_acceleration_mps2=turn)


@given(points, velocities, times)
def test_constant_velocity_is_a_straight_line(start: Vector, velocity: Vector, t_s: float):
    position, now = at(ConstantVelocitySpec(position_m=start, velocity_mps=velocity), t_s)
    np.testing.assert_allclose(position, np.array(start) + np.array(velocity) * t_s)
    assert tuple(now) == velocity


def test_quarter_turn_to_the_right_by_hand():
    # North at 10 m/s, a quarter clockwise in 1 s: radius v/ω = 10 / (π/2), from the origin to (r, r), then east.
    turn = CoordinatedTurnSpec(position_m=(0, 0, 5), velocity_mps=(0, 10, 2), turn_rate_dps=90)
    position, velocity = at(turn, 1.0)
    radius = 20 / math.pi
    np.testing.assert_allclose(position, [radius, radius, 7.0], atol=1e-12)
    np.testing.assert_allclose(velocity, [10, 0, 2], atol=1e-12)


def test_turn_goes_straight_before_and_after():
    turn = CoordinatedTurnSpec(position_m=(0, 0, 0), velocity_mps=(0, 10, 0), turn_rate_dps=90, begins_s=3, lasts_s=1)
    np.testing.assert_allclose(at(turn, 3.0)[0], [0, 30, 0])
    radius = 20 / math.pi
    np.testing.assert_allclose(at(turn, 6.0)[0], [radius + 20, 30 + radius, 0], atol=1e-9)


@given(turns, times)
def test_turn_keeps_its_speed_and_climb(turn: CoordinatedTurnSpec, t_s: float):
    _, velocity = at(turn, t_s)
    assert np.linalg.norm(velocity) == pytest.approx(np.linalg.norm(turn.velocity_mps), abs=1e-9)
    assert velocity[2] == turn.velocity_mps[2]


@given(st.floats(1, 200), st.floats(0.5, 30), times)
def test_endless_turn_stays_on_its_circle(speed: float, rate_dps: float, t_s: float):
    turn = CoordinatedTurnSpec(position_m=(0, 0, 0), velocity_mps=(0, speed, 0), turn_rate_dps=rate_dps)
    radius = speed / math.radians(rate_dps)
    position, _ = at(turn, t_s)
    assert np.hypot(position[0] - radius, position[1]) == pytest.approx(radius, rel=1e-9)


@given(points, velocities, times)
def test_turn_of_rate_zero_is_straight(start: Vector, velocity: Vector, t_s: float):
    turned, _ = at(CoordinatedTurnSpec(position_m=start, velocity_mps=velocity, turn_rate_dps=0), t_s)
    straight, _ = at(ConstantVelocitySpec(position_m=start, velocity_mps=velocity), t_s)
    np.testing.assert_allclose(turned, straight, atol=1e-6)


@pytest.mark.parametrize(
    "motion",
    [
        CoordinatedTurnSpec(position_m=(1, 2, 3), velocity_mps=(30, -20, 4), turn_rate_dps=7, begins_s=5, lasts_s=20),
        OrbitSpec(centre_m=(10, 20, 30), radius_m=300, period_s=50, inclination_deg=40, node_deg=70, phase_deg=25),
        waypoints([(0, 0), (3, 1), (-2, 4)]),
        waypoints([(0, 0), (3, 1), (-2, 4)], then="loop"),
        waypoints([(0, 0), (3, 1), (-2, 4)], turn=8.0),
        waypoints([(0, 0), (3, 1), (-2, 4)], then="loop", turn=8.0),
    ],
    ids=["turn", "orbit", "hold", "loop", "hold with turns", "loop with turns"],
)
@given(t_s=st.floats(0.01, 200))
def test_velocity_is_the_derivative_of_position(motion: MotionSpec, t_s: float):
    # Away from the corners of a route: a difference over 20 µs differs by acceleration times 10 µs at most.
    (before, early), (after, late) = at(motion, t_s - 1e-5), at(motion, t_s + 1e-5)
    if np.linalg.norm(late - early) < 1e-2:
        np.testing.assert_allclose((after - before) / 2e-5, at(motion, t_s)[1], atol=1e-3)


@given(orbits, times)
def test_orbit_keeps_its_distance_and_returns(orbit: OrbitSpec, t_s: float):
    position, velocity = at(orbit, t_s)
    arm = position - np.array(orbit.centre_m)
    assert np.linalg.norm(arm) == pytest.approx(orbit.radius_m, rel=1e-9)
    assert np.linalg.norm(velocity) == pytest.approx(2 * math.pi * orbit.radius_m / orbit.period_s)
    assert arm @ velocity == pytest.approx(0, abs=1e-6 * orbit.radius_m * np.linalg.norm(velocity))
    again, _ = at(orbit, t_s + orbit.period_s)
    np.testing.assert_allclose(again, position, atol=1e-6 * orbit.radius_m)


@given(st.floats(0, 360), st.floats(1, 89), st.floats(0, 179))
def test_orbit_climbs_through_its_node(node_deg: float, inclination_deg: float, ahead_deg: float):
    orbit = OrbitSpec(
        centre_m=(0, 0, 0), radius_m=100, speed_mps=10, inclination_deg=inclination_deg, node_deg=node_deg
    )
    start, velocity = at(orbit, 0.0)
    np.testing.assert_allclose(
        start, [100 * math.sin(math.radians(node_deg)), 100 * math.cos(math.radians(node_deg)), 0], atol=1e-9
    )
    assert velocity[2] == pytest.approx(10 * math.sin(math.radians(inclination_deg)))
    later, _ = at(orbit, math.radians(ahead_deg) * 100 / 10)
    assert later[2] >= -1e-9


def test_level_orbit_goes_clockwise_and_a_retrograde_one_does_not():
    clockwise = OrbitSpec(centre_m=(0, 0, 0), radius_m=100, period_s=4)
    np.testing.assert_allclose(at(clockwise, 1.0)[0], [100, 0, 0], atol=1e-9)
    retrograde = clockwise.model_copy(update={"inclination_deg": 180.0})
    np.testing.assert_allclose(at(retrograde, 1.0)[0], [-100, 0, 0], atol=1e-9)


@given(routes)
def test_route_passes_every_point_and_holds_the_last(route: list[tuple[int, int]]):
    motion = waypoints(route)
    elapsed = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(route):
        elapsed += 100 * math.hypot(x1 - x0, y1 - y0) / 25.0
        np.testing.assert_allclose(at(motion, elapsed)[0][:2], [100 * x1, 100 * y1], atol=1e-6)
    position, velocity = at(motion, elapsed + 1000)
    np.testing.assert_allclose(position[:2], [100 * route[-1][0], 100 * route[-1][1]], atol=1e-9)
    assert not velocity.any()


@given(routes, st.floats(0.1, 500))
def test_loop_comes_round_again(route: list[tuple[int, int]], t_s: float):
    motion = waypoints(route, then="loop")
    corners = [*route, route[0]]
    period = sum(4 * math.dist(a, b) for a, b in itertools.pairwise(corners))
    np.testing.assert_allclose(at(motion, t_s + 3 * period)[0], at(motion, t_s)[0], atol=1e-5)
    assert np.linalg.norm(at(motion, t_s)[1]) == pytest.approx(25.0)


def test_loop_closes_at_the_speed_of_its_last_leg():
    # 3 s to (30, 0), 2 s to (30, 40) at 20 m/s, and 2.5 s over the 50 m home.
    legs = (Leg(to_m=(30, 0, 0), speed_mps=10), Leg(to_m=(30, 40, 0), speed_mps=20))
    loop = WaypointsSpec(position_m=(0, 0, 0), legs=legs, then="loop")
    np.testing.assert_allclose(at(loop, 6.0)[0], [18, 24, 0], atol=1e-9)
    np.testing.assert_allclose(at(loop, 6.0)[1], [-12, -16, 0], atol=1e-9)
    np.testing.assert_allclose(at(loop, 8.5)[0], [10, 0, 0], atol=1e-9)


def test_a_corner_is_cut_on_a_parabola_by_hand():
    # East and then north at 10 m/s: the velocity changes by 14.1 m/s, at 5 m/s² in 2.83 s. Halfway through the turn the
    # contact is 2.83 / 8 s times that change beside the corner.
    legs = (Leg(to_m=(100, 0, 0), speed_mps=10), Leg(to_m=(100, 100, 0), speed_mps=10))
    motion = WaypointsSpec(position_m=(0, 0, 0), legs=legs, turn_acceleration_mps2=5)
    aside = 10 * math.sqrt(200) / 5 / 8
    np.testing.assert_allclose(at(motion, 10.0)[0], [100 - aside, aside, 0])
    np.testing.assert_allclose(at(motion, 10.0)[1], [5, 5, 0])
    np.testing.assert_allclose(at(motion, 8.5)[0], [85, 0, 0])
    np.testing.assert_allclose(at(motion, 11.5)[0], [100, 15, 0])


@pytest.mark.parametrize("then", ["hold", "loop"])
@given(t_s=st.floats(0, 200), dt_s=st.floats(0.001, 2))
def test_turns_take_their_acceleration_and_no_more(then: str, t_s: float, dt_s: float):
    motion = waypoints([(0, 0), (3, 1), (-2, 4), (1, -1)], then, turn=12.0)
    change = np.linalg.norm(at(motion, t_s + dt_s)[1] - at(motion, t_s)[1])
    assert change <= 12.0 * dt_s * (1 + 1e-9) + 1e-9


@given(st.lists(st.integers(0, 3), min_size=3, max_size=5), st.floats(0.05, 0.95))
def test_between_its_turns_a_contact_is_where_the_corners_would_have_it(sides: list[int], share: float):
    """Each leg is 400 m long, 16 s, and a turn takes 6.25 s at most."""
    steps = [((4, 0), (0, 4), (-4, 0), (0, -4))[side] for side in sides]
    route = list(itertools.accumulate(steps, lambda here, by: (here[0] + by[0], here[1] + by[1]), initial=(0, 0)))
    sharp, turned = waypoints(route), waypoints(route, turn=8.0)
    for leg in range(len(steps)):
        t_s = 16 * leg + 3.125 + share * (16 - 6.25)
        for there, expected in zip(at(turned, t_s), at(sharp, t_s), strict=True):
            np.testing.assert_allclose(there, expected, atol=1e-9)


def test_with_turns_it_slows_down_and_holds_the_last_point():
    """At 25 m/s and 5 m/s² for 5 s, half of them behind the time at which it would have stopped."""
    motion = waypoints([(0, 0), (4, 0)], turn=5.0)
    np.testing.assert_allclose(at(motion, 16.0), ([400 - 25 * 5 / 8, 0, 0], [12.5, 0, 0]))
    for t_s in (18.5, 1000.0):
        position, velocity = at(motion, t_s)
        np.testing.assert_allclose(position, [400, 0, 0])
        assert not velocity.any()


def test_a_loop_with_turns_begins_at_its_start_and_cuts_that_corner_later():
    square = waypoints([(0, 0), (4, 0), (4, 4), (0, 4)], then="loop", turn=8.0)
    np.testing.assert_allclose(at(square, 0.0), ([0, 0, 0], [25, 0, 0]))
    aside = 25 * (25 * math.sqrt(2) / 8) / 8
    for lap in range(1, 4):
        position, velocity = at(square, lap * 64.0)
        np.testing.assert_allclose(position, [aside, aside, 0])
        np.testing.assert_allclose(velocity, [12.5, -12.5, 0])
    np.testing.assert_allclose(at(square, 3 * 64 + 30.0), at(square, 30.0), atol=1e-9)


@pytest.mark.parametrize(
    ("then", "acceleration", "fault"),
    [
        ("hold", 4.0, None),
        ("hold", 1.5, "legs.1 is too short for its turns (expected 1.89 or more)"),
        ("loop", 4.0, None),
        ("loop", 2.0, "legs.0 is too short for its turns (expected 2.21 or more)"),
    ],
)
def test_a_leg_must_be_long_enough_for_its_turns(then: str, acceleration: float, fault: str | None):
    """Legs of 400 m, 16 s: a corner changes the velocity by 35.4 m/s, the stop by 25."""
    route = [(0, 0), (4, 0), (4, 4)] if then == "hold" else [(0, 0), (4, 0), (4, 4), (0, 4)]
    if fault is None:
        waypoints(route, then, acceleration)
        return
    with pytest.raises(ValidationError, match=re.escape(fault)):
        waypoints(route, then, acceleration)


@given(routes, st.sampled_from(["hold", "loop"]))
def test_the_acceleration_that_is_named_is_enough(route: list[tuple[int, int]], then: str):
    with pytest.raises(ValidationError, match=r"too short for its turns \(expected \S+ or more\)") as refused:
        waypoints(route, then, 1e-3)
    named = re.search(r"expected (\S+) or more", str(refused.value))
    assert named
    waypoints(route, then, 1.0001 * float(named[1]))


@given(st.lists(st.floats(1, 500), min_size=2, max_size=6), times)
def test_no_turn_is_taken_between_legs_in_line(lengths: list[float], t_s: float):
    """Their velocities differ by a rounding error."""
    ends = [(0.6 * far, 0.8 * far, 0.0) for far in itertools.accumulate(lengths)]
    legs = tuple(Leg(to_m=end, speed_mps=30.0) for end in ends)
    sharp = WaypointsSpec(position_m=(0, 0, 0), legs=legs)
    turned = WaypointsSpec(position_m=(0, 0, 0), legs=legs, turn_acceleration_mps2=1e4)
    if t_s < sum(lengths) / 30 - 1:
        np.testing.assert_allclose(at(turned, t_s), at(sharp, t_s), atol=1e-9)


@given(st.permutations([0, 1, 2, 3]), times)
def test_kinds_may_stand_in_any_order(order: list[int], t_s: float):
    kinds = [
        ConstantVelocitySpec(position_m=(1, 2, 3), velocity_mps=(4, 5, 6)),
        CoordinatedTurnSpec(position_m=(1, 2, 3), velocity_mps=(4, 5, 6), turn_rate_dps=3),
        waypoints([(0, 0), (1, 1)]),
        OrbitSpec(centre_m=(0, 0, 0), radius_m=10, period_s=60),
    ]
    positions, velocities = Motions([kinds[i] for i in order]).at(np.full(4, t_s))
    for row, i in enumerate(order):
        position, velocity = at(kinds[i], t_s)
        np.testing.assert_array_equal(positions[row], position)
        np.testing.assert_array_equal(velocities[row], velocity)


def test_nobody_moves_nowhere():
    positions, velocities = Motions([]).at(np.empty(0))
    assert positions.shape == velocities.shape == (0, 3)


@pytest.mark.parametrize(
    "motion",
    [
        ConstantVelocitySpec(position_m=(1, 2, 3), velocity_mps=(4, 5, 6)),
        CoordinatedTurnSpec(position_m=(1, 2, 3), velocity_mps=(30, -20, 4), turn_rate_dps=7, begins_s=5, lasts_s=20),
        OrbitSpec(centre_m=(10, 20, 30), radius_m=300, period_s=50, inclination_deg=40, node_deg=70, phase_deg=25),
        waypoints([(0, 0), (3, 1), (-2, 4)], then="loop"),
        waypoints([(0, 0), (3, 1), (-2, 4)], then="loop", turn=8.0),
    ],
    ids=["straight", "turn", "orbit", "loop", "loop with turns"],
)
@given(t_s=st.floats(0, 400), dt_s=st.floats(0.001, 10))
def test_nobody_outruns_the_fastest(motion: MotionSpec, t_s: float, dt_s: float):
    motions = Motions([motion])
    (begin, end), velocity = motions.at(np.array([[t_s], [t_s + dt_s]]))
    assert np.linalg.norm(velocity, axis=-1).max() <= motions.fastest_mps * (1 + 1e-9)
    assert np.linalg.norm(end - begin) <= motions.fastest_mps * dt_s * (1 + 1e-6) + 1e-6


@given(st.lists(times, min_size=1, max_size=5))
def test_many_times_at_once_are_the_same_as_each_alone(instants: list[float]):
    motions = Motions([
        ConstantVelocitySpec(position_m=(1, 2, 3), velocity_mps=(4, 5, 6)),
        CoordinatedTurnSpec(position_m=(1, 2, 3), velocity_mps=(4, 5, 6), turn_rate_dps=3, begins_s=10, lasts_s=900),
        waypoints([(0, 0), (1, 1), (3, -2)]),
        waypoints([(0, 0), (1, 1), (3, -2)], then="loop", turn=30.0),
        OrbitSpec(centre_m=(0, 0, 0), radius_m=10, period_s=60),
    ])  # fmt: skip
    together = motions.at(np.repeat(np.array(instants)[:, np.newaxis], 5, axis=1))
    for row, t_s in enumerate(instants):
        for block, alone in zip(together, motions.at(np.full(5, t_s)), strict=True):
            np.testing.assert_array_equal(block[row], alone)
