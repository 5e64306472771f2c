"""Actuator commands to the vehicle of a world, and the readiness of its actuators."""

from collections.abc import Iterator

from qiki.botspec.actuators import ACTUATORS, ActuatorKind
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.events import ActuatorOutcome
from qiki.world.errors import OrderError
from qiki.world.vehicle.actuators import order_of, plain_order
from qiki.world.world import World

ACCEPTED = "accepted"


def submit_command(world: World, command: ActuatorCommand) -> ActuatorOutcome:
    """Submit a command, which takes effect at the next tick; return its outcome as an event body."""
    try:
        world.submit(order_of(command))
        reason = None
    except OrderError as error:
        reason = str(error)
    return ActuatorOutcome(
        run_id=str(world.run_id),
        actuator=command.actuator_id,
        accepted=reason is None,
        message=ACCEPTED if reason is None else reason,
        ts_epoch=world.timestamp.timestamp(),
    )


def takes_effect(state: str) -> str:
    """Return the answer to an accepted command; `state` is that of a simulation that is held, else empty."""
    return f"takes effect at the next tick{f' (the simulation is {state})' if state else ''}"


def actuator_refusals(world: World) -> Iterator[tuple[ActuatorKind, str | None]]:
    """Yield every actuator with the reason why it would not obey now; None when it would."""
    return ((actuator, world.refusal(plain_order(actuator))) for actuator in ACTUATORS)
