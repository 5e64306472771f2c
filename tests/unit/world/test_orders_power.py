"""An order that would have no power to act is refused with the reason, and only such a one."""

from uuid import UUID

import pytest

from qiki.botspec.planes import BotParameters, Node, PowerParameters
from qiki.world.errors import OrderError
from qiki.world.scenario import load_scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.loads import Load
from qiki.world.vehicle.orders import Cruise, FireThruster, Order
from qiki.world.world import SimWorld

FIRE = FireThruster(Axis.FORWARD, 1.0, 5.0)
DARK = {"base_source_w": 80.0, "soc_shed_low_pct": 85.0, "soc_shed_high_pct": 90.0}
"""A source that carries the transponder and no more, and a battery that counts as low."""


def make_world(**power: float) -> SimWorld:
    return SimWorld(load_scenario("empty"), BotParameters(power=PowerParameters(**power)), 1, UUID(int=1))


def after(world: SimWorld, ticks: int, *orders: Order) -> SimWorld:
    for order in orders:
        world.submit(order)
    for _ in range(ticks):
        world.tick()
    return world


def throttled() -> SimWorld:
    """Cruising at full speed on a low battery: the drive gets a part of what it asks for."""
    world = after(make_world(soc_shed_low_pct=85.0, soc_shed_high_pct=90.0), 200, Cruise(1.0))
    assert Load.MOTION in world.vehicle.bus.shed
    assert 0.0 < world.vehicle.bus.granted_w[Load.MOTION] < 40.0
    return world


def test_a_hull_that_is_too_hot_does_not_thrust():
    world = make_world()
    world.submit(FIRE)
    nodes = list(BotParameters().thermal.nodes)
    world.vehicle.thermal.temperatures_c[nodes.index(Node.HULL)] = 1000.0
    world.tick()
    assert Node.HULL in world.vehicle.thermal.tripped
    with pytest.raises(OrderError, match="the hull is too hot to thrust"):
        world.submit(FIRE)


@pytest.mark.parametrize("fraction", [0.0, 0.1])
def test_a_drive_that_is_throttled_can_be_slowed_down_and_stopped(fraction: float):
    world = after(throttled(), 200, Cruise(fraction))
    assert world.vehicle.velocity_mps == pytest.approx((0.0, world.vehicle.drive.speed_mps, 0.0))


def test_thrusters_that_are_throttled_take_orders():
    world = after(make_world(), 1, FireThruster(Axis.FORWARD, 1.0, 5.0), FireThruster(Axis.UP, 1.0, 5.0))
    assert Load.RCS in world.vehicle.bus.shed
    climb_mps = after(world, 1, FireThruster(Axis.DOWN, 1.0, 2.0)).vehicle.velocity_mps[2]
    after(world, 1, FireThruster(Axis.UP, 0.1, 1.0))
    assert world.vehicle.velocity_mps[2] < climb_mps


@pytest.mark.parametrize(("ticks", "reason"), [(0, "not enough is left"), (1, "BATTERY_LOW")])
@pytest.mark.parametrize(("order", "load"), [(FIRE, Load.RCS), (Cruise(0.3), Load.MOTION)])
def test_the_first_order_is_refused_too_where_there_is_no_power_for_it(
    order: Order, load: Load, ticks: int, reason: str
):
    world = after(make_world(**DARK), ticks)
    with pytest.raises(OrderError, match=f"there is no power for {load}: {reason}"):
        world.submit(order)


def test_coming_to_rest_takes_no_power():
    world = after(throttled(), 0)
    world.vehicle.power = make_world(**DARK).vehicle.power
    after(world, 200, Cruise(0.0))
    assert world.vehicle.velocity_mps == pytest.approx((0.0, 0.0, 0.0))


def test_what_needs_no_power_is_not_refused_for_the_lack_of_it():
    world = after(make_world(rcs_load_w=0.0, motion_load_w_per_mps=0.0, **DARK), 1, FIRE)
    assert world.vehicle.velocity_mps[1] > 0.0
    assert after(world, 1, Cruise(0.5)).vehicle.drive.speed_mps > 0.0


def test_one_order_may_leave_the_next_without_power():
    world = after(make_world(), 1)
    hungry = [FireThruster(axis, 1.0, 5.0) for axis in (Axis.FORWARD, Axis.UP, Axis.PORT)]
    for order in (*hungry, Cruise(1.0)):
        world.submit(order)
    (dropped,) = world.tick().events
    assert "there is no power for motion" in dropped.details["reason"]


def test_asking_for_power_changes_nothing():
    asked, left_alone = (make_world(soc_shed_low_pct=79.9999, soc_shed_high_pct=79.99995) for _ in range(2))
    for world in (asked, left_alone):
        after(world, 1, FireThruster(Axis.UP, 1.0, 60.0))
    for _ in range(200):
        Cruise(1.0).refusal(asked.vehicle)
        FIRE.refusal(asked.vehicle)
        asked.tick()
        left_alone.tick()
        assert asked.vehicle.bus == left_alone.vehicle.bus
