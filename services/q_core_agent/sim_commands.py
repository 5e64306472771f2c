"""Commands to the simulator, and what their acknowledgements say of where it stands."""

from typing import NamedTuple
from uuid import uuid4

from nats.aio.msg import Msg

from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.contracts.models import CommandMessage, CommandMetadata, ControlAck, SimState
from qiki.runtime.clock import now
from qiki.runtime.reading import read_payload


class Place(NamedTuple):
    """Where the simulation stands: its run, the ticks done, the newest frame's number if there is one."""

    run: str
    tick: int
    frame: int | None


class RefusedError(Exception):
    """The simulator does not step now; the text says why."""


def message(command: str, parameters: dict[str, int]) -> CommandMessage:
    """A command of the agent's."""
    metadata = CommandMetadata(
        message_id=uuid4(),
        timestamp=now(),
        message_type="command",
        source="q-core-agent",
        destination="q-sim-service",
    )
    return CommandMessage(command_name=command, parameters=parameters, metadata=metadata)


def read_place(answer: Msg) -> Place:
    """What an acknowledgement says of where the simulation stands.

    Raises:
        RefusedError: it is a refusal.
        ValueError: this is no acknowledgement.
        LookupError: it does not say.
    """
    acknowledgement = read_payload(ControlAck, answer.data)
    if not acknowledgement.ok:
        raise RefusedError(acknowledgement.error_detail.message if acknowledgement.error_detail else "no reason given")
    headers = answer.headers or {}
    frame = headers.get(FRAME)
    return Place(headers[RUN], int(headers[TICK]), None if frame is None else int(frame))


def done(place: Place, before: SimState, ticks: int) -> bool:
    """Whether the simulation stands a step beyond what was known before; another run was never known."""
    return place.run != before.run_id or place.tick >= before.tick + ticks


def replaced(told: SimState, place: Place, before: SimState) -> bool:
    """Whether the run of a step has been replaced by another since.

    Args:
        told: what is known now; it may still be what was known before
        place: of the step
        before: what was known when the step was asked for
    """
    if told.run_id == place.run:
        return place.run == before.run_id and told.tick < before.tick  # begun anew, under the same name
    return told.run_id != before.run_id
