"""An order that would have no power to act is refused with the reason."""

from uuid import UUID

import pytest

from q_sim_service.bot.axes import Axis
from q_sim_service.bot.orders import FireThruster
from q_sim_service.errors import OrderError
from q_sim_service.scenario import load_scenario
from q_sim_service.world import World
from qiki.botspec.planes.bot import BotParameters
from qiki.botspec.planes.thermal import Node

FIRE = FireThruster(Axis.FORWARD, 1.0, 5.0)


def make_world() -> World:
    return World(load_scenario("empty"), BotParameters(), 1, UUID(int=1))


def test_a_hull_that_is_too_hot_does_not_thrust():
    world = make_world()
    world.submit(FIRE)
    nodes = list(BotParameters().thermal.nodes)
    world.vehicle.thermal.temperatures_c[nodes.index(Node.HULL)] = 1000.0
    world.tick()
    assert world.vehicle.thermal.tripped(Node.HULL)
    with pytest.raises(OrderError, match="the hull is too hot to thrust"):
        world.submit(FIRE)
