"""Collisions: looking away while nobody can be near misses no strike."""

from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.botspec.planes import BotParameters, HullParameters
from qiki.world.scenario import Scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import FireThruster
from qiki.world.vehicle.systems import Hull
from qiki.world.vehicle_events import VehicleEventKind
from qiki.world.world import SimWorld

PARAMETERS = BotParameters(hull=HullParameters(radius_m=8.0, damage_pct_per_kj=0.0))
DT_S = 0.05

metres, speeds = st.floats(-60, 60), st.floats(-40, 40)
points = st.tuples(metres, metres, metres)
motions = st.one_of(
    st.builds(lambda at, to: {"kind": "constant_velocity", "position_m": at, "velocity_mps": to}, points,
              st.tuples(speeds, speeds, speeds)),
    st.builds(lambda at, s: {"kind": "orbit", "centre_m": at, "radius_m": 30.0, "speed_mps": s}, points,
              st.floats(1, 40)),
    st.builds(lambda at, s: {"kind": "waypoints", "position_m": at, "then": "loop", "legs": [
        {"to_m": (0.0, 0.0, 90.0), "speed_mps": s}, {"to_m": (0.0, 5.0, -90.0), "speed_mps": 2 * s}]}, points,
              st.floats(1, 40)),
)  # fmt: skip
contacts = st.lists(st.tuples(motions, st.floats(0, 3), st.floats(3.1, 6)), max_size=4)


def world_of(drawn: list[tuple[dict[str, Any], float, float]]) -> SimWorld:
    rows = [
        {"id": f"c{n}", "object_type": "DRONE", "motion": motion, "appears_at_s": begin, "disappears_at_s": end}
        for n, (motion, begin, end) in enumerate(drawn)
    ]
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": rows})
    return SimWorld(scenario, PARAMETERS, 1, UUID(int=1))


@settings(max_examples=60, deadline=None)
@given(contacts, st.sampled_from(Axis))
def test_every_strike_is_seen_in_its_tick(drawn: list[tuple[dict[str, Any], float, float]], axis: Axis):
    """Against a hull that looks at every contact in every tick."""
    world, watching = world_of(drawn), Hull(PARAMETERS.hull)
    world.submit(FireThruster(axis, 1.0, 4.0))
    for _ in range(120):
        before, present = world.relative_positions(), world.contacts.present
        events = world.tick().events
        met = present & world.contacts.present
        expected = watching.meet(before[met], world.relative_positions()[met], 62.0, DT_S)
        struck = [event.details["contacts"] for event in events if event.kind is VehicleEventKind.STRUCK]
        assert struck == ([expected] if expected else [])


def test_a_fast_contact_strikes_after_a_long_quiet_flight():
    motion = {"kind": "constant_velocity", "position_m": [0, 9000, 0], "velocity_mps": [0, -600, 0]}
    world = world_of([(motion, 0.0, 60.0)])
    ticks = [n for n in range(400) if any(event.kind is VehicleEventKind.STRUCK for event in world.tick().events)]
    assert ticks == [299]  # at 30 m a tick the hull is entered in the last tick before 15 s
    assert np.linalg.norm(world.contacts.positions[0]) > 1000
