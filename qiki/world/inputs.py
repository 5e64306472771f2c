"""The inputs of a run as the contracts define them: its description, and its orders."""

from dataclasses import dataclass
from typing import Any

from qiki.botspec.planes import BotParameters
from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.fields import Payload
from qiki.contracts.headers import RUN, Message, cloud_event
from qiki.contracts.sim import SimOrder, SimRun
from qiki.contracts.topics import Topic
from qiki.world.scenario import Scenario
from qiki.world.vehicle.orders import Order, make_order, order_values
from qiki.world.world import GivenOrder, SimWorld

SIM_SOURCE, SIM_TYPES = "urn:qiki:q-sim-service:world", "qiki.sim.v1"


@dataclass(frozen=True)
class RunInputs:
    """All that a run follows from, but for its orders."""

    scenario: Scenario
    parameters: BotParameters


def describe(world: SimWorld, speed: float) -> SimRun:
    """Return the description of a world's run."""
    return SimRun(
        run_id=world.run_id,
        timestamp=world.scenario.epoch,
        scenario=world.scenario.model_dump(mode="json"),
        seed=world.seed,
        parameters=world.parameters.model_dump(mode="json"),
        sr_threshold_m=world.sr_threshold_m,
        speed=speed,
    )


def run_message(world: SimWorld, speed: float) -> Message:
    """Return the description of a run that begins, ready to publish."""
    return _message(topics.RUNS, describe(world, speed), f"{world.run_id}:run", world)


def order_message(world: SimWorld, given: GivenOrder) -> Message:
    """Return an order that took effect, ready to publish."""
    return _message(topics.ORDERS, order_body(world, given), f"{world.run_id}:order:{given.number}", world)


def _message(topic: Topic[Any], body: Payload, message_id: str, world: SimWorld) -> Message:
    event_type = f"{SIM_TYPES}.{type(body).__name__}"
    headers = cloud_event(message_id, event_type, SIM_SOURCE, rfc3339(world.timestamp))
    return Message(topic.subject, body.to_json(), headers | {RUN: str(world.run_id)})


def read_inputs(run: SimRun) -> RunInputs:
    """Return scenario and parameters of a described run.

    Raises:
        pydantic.ValidationError: they are not what this version reads.
    """
    return RunInputs(Scenario.model_validate(run.scenario), BotParameters.model_validate(run.parameters))


def order_body(world: SimWorld, given: GivenOrder) -> SimOrder:
    """Return the body of an order that took effect."""
    return SimOrder(
        run_id=world.run_id,
        tick=given.tick,
        number=given.number,
        order=given.order.name,
        parameters=order_values(given.order),
        origin=given.giver.origin,
        sender=given.giver.sender,
        message_id=given.giver.message_id,
    )


def read_order(body: SimOrder) -> Order:
    """Return the order of a body.

    Raises:
        OrderError: there is no such order, or it has other parameters.
    """
    return make_order(body.order, body.parameters)
