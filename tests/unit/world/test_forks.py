"""Another future of a run: other random numbers, other contacts, and what a run keeps."""

from uuid import UUID

import pytest

from qiki.botspec.planes import BotParameters, Port
from qiki.contracts.enums import FriendFoe
from qiki.contracts.sim import Origin
from qiki.radar.parameters import RadarParameters
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario, load_scenario
from qiki.world.vehicle.orders import Cruise, EngageDock, Fork, Turn
from qiki.world.vehicle_events import VehicleEventKind
from qiki.world.world import Giver, MeasuredFrame, SimWorld

RUN, PARENT = UUID("5ca1ab1e-0000-4000-8000-000000000007"), UUID("5ca1ab1e-0000-4000-8000-000000000006")
BY_FORK = Giver(Origin.FORK)


def make_world(scenario: str = "mixed-traffic", ticks: int = 100) -> SimWorld:
    world = SimWorld(load_scenario(scenario), BotParameters(), 3, RUN)
    for _ in range(ticks):
        world.tick()
    return world


def frames(world: SimWorld, ticks: int) -> list[MeasuredFrame]:
    return [tick.frame for tick in (world.tick() for _ in range(ticks)) if tick.frame is not None]


def measured(world: SimWorld, ticks: int) -> list[object]:
    return [(frame.number, frame.detections.rows()) for frame in frames(world, ticks)]


def test_a_plain_fork_changes_nothing():
    one, other = make_world(), make_world()
    other.submit(Fork(PARENT), BY_FORK)
    assert measured(one, 60) == measured(other, 60)


def test_another_seed_changes_what_is_drawn_from_now_on_and_nothing_else():
    one, other, again = make_world("swarm-50"), make_world("swarm-50"), make_world("swarm-50")
    for world in (other, again):
        world.submit(Fork(PARENT, seed=8), BY_FORK)
    theirs = measured(other, 60)
    assert measured(one, 60) != theirs
    assert measured(again, 60) == theirs
    assert (one.contacts.positions == other.contacts.positions).all()


def test_the_contacts_of_another_scenario_begin_with_the_fork():
    world, fresh = make_world(), make_world("crossing", 0)
    world.tick()
    before = set(world.contacts.names)
    world.submit(Fork(PARENT, scenario=load_scenario("crossing")), BY_FORK)
    (given,) = world.tick().orders
    assert (given.tick, given.order.name, given.giver.origin) == (101, "run.fork", "fork")
    fresh.tick()
    for _ in range(80):
        assert world.contacts.names == fresh.contacts.names != sorted(before)
        assert (world.contacts.present == fresh.contacts.present).all()
        assert world.contacts.positions == pytest.approx(fresh.contacts.positions, abs=1e-9)
        world.tick()
        fresh.tick()


def test_identities_of_both_are_known_behind_a_fork():
    world, future = make_world(), load_scenario("crossing")
    before = frames(world, 2)[-1].identities
    world.submit(Fork(PARENT, scenario=future), BY_FORK)
    after = frames(world, 2)[-1].identities
    assert before
    assert future.identities
    assert after == before | future.identities


def test_what_a_run_keeps_cannot_be_forked():
    world = make_world()
    future = load_scenario("crossing")
    known = next(iter(world.identities))
    turned = FriendFoe.FOE if world.identities[known] is FriendFoe.FRIEND else FriendFoe.FRIEND
    many = {f"identity-{number:040}": FriendFoe.FOE for number in range(2000)}
    for fault, changes in (
        ("another frame_rate_hz than the run", {"frame_rate_hz": 5.0}),
        ("another radar than the run", {"radar": RadarParameters(pulses=3)}),
        (f"gives {known} another side", {"identities": {known: turned}}),
        ("too many identities", {"identities": many}),
    ):
        with pytest.raises(OrderError, match=fault):
            world.submit(Fork(PARENT, scenario=Scenario.model_copy(future, update=changes)), BY_FORK)


def test_a_scheduled_order_takes_effect_at_its_tick():
    one, other = make_world(ticks=0), make_world(ticks=0)
    other.schedule(7, Cruise(0.5), BY_FORK)
    other.schedule(3, Turn(90.0), BY_FORK)
    other.schedule(7, EngageDock(Port.A), BY_FORK)
    other.schedule(8, Turn(10.0), BY_FORK)  # docked: it is dropped
    for tick, orders in {3: [Turn(90.0)], 7: [Cruise(0.5), EngageDock(Port.A)]}.items():
        while one.tick_count < tick:
            one.tick()
        for order in orders:
            one.submit(order, BY_FORK)
    ticks = [other.tick() for _ in range(20)]
    while one.tick_count < 20:
        one.tick()
    assert [(given.tick, given.number) for tick in ticks for given in tick.orders] == [(3, 0), (7, 1), (7, 2)]
    assert [event.kind for event in ticks[8].events][:1] == [VehicleEventKind.ORDER_DROPPED]
    assert one.save_state() == other.save_state()
