"""Commands to the simulator, and the position that their acknowledgements report."""

from typing import NamedTuple
from uuid import uuid4

from nats.aio.msg import Msg

from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.contracts.models import CommandMessage, CommandMetadata, ControlAck, SimState
from qiki.runtime.clock import now
from qiki.runtime.reading import read_payload


class Place(NamedTuple):
    """Position of the simulation: its run, the ticks done, the newest frame's number if there is one."""

    run: str
    tick: int
    frame: int | None


class RefusedError(Exception):
    """The simulator refused a command; the text says why."""


def message(command: str, parameters: dict[str, int]) -> CommandMessage:
    """Return a command from the agent."""
    metadata = CommandMetadata(
        message_id=uuid4(),
        timestamp=now(),
        message_type="command",
        source="q-core-agent",
        destination="q-sim-service",
    )
    return CommandMessage(command_name=command, parameters=parameters, metadata=metadata)


def read_place(answer: Msg) -> Place:
    """Return the position that an acknowledgement reports.

    Raises:
        RefusedError: it is a refusal.
        ValueError: it is not an acknowledgement.
        LookupError: it has no position.
    """
    acknowledgement = read_payload(ControlAck, answer.data)
    if not acknowledgement.ok:
        raise RefusedError(acknowledgement.error_detail.message if acknowledgement.error_detail else "no reason given")
    headers = answer.headers or {}
    frame = headers.get(FRAME)
    return Place(headers[RUN], int(headers[TICK]), None if frame is None else int(frame))


def done(place: Place, before: SimState, ticks: int) -> bool:
    """Return whether the simulation is a step beyond its last known position, or in another run."""
    return place.run != before.run_id or place.tick >= before.tick + ticks


def replaced(known: SimState, place: Place, before: SimState) -> bool:
    """Return whether another run has replaced that of a step.

    Args:
        known: the newest telemetry's; it may still be `before`
        place: of the step
        before: as known when the step was asked for
    """
    if known.run_id == place.run:
        return place.run == before.run_id and known.tick < before.tick  # restarted under the same run id
    return known.run_id != before.run_id
