"""The inputs of a run: its description, and the orders that the vehicle obeyed."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from qiki.contracts.fields import NonNegative, Payload, Timestamp

MAX_TICK = 2**53


class Origin(StrEnum):
    """The way on which an order came."""

    CONTROL = "control"
    GRPC = "grpc"
    SCENARIO = "scenario"
    FORK = "fork"


class SimRun(Payload):
    """A run that begins: with its orders, all that its frames and its truth follow from.

    `scenario` has the fields of a scenario file, `parameters` those of the BotSpec's planes. `speed` is the
    default one, in simulated seconds a second.
    """

    schema_version: int = 1
    run_id: UUID
    timestamp: Timestamp
    scenario: dict[str, Any]
    seed: int
    parameters: dict[str, Any]
    sr_threshold_m: NonNegative
    speed: NonNegative


class SimOrder(Payload):
    """An order that took effect.

    `tick` is the number of ticks that were done before: the next one is the first with its effect. `number` counts the
    run's orders from 0, in their sequence. `sender` is an identity for gRPC, and what the command says for control.
    """

    schema_version: int = 1
    run_id: UUID
    tick: int = Field(ge=0, le=MAX_TICK)
    number: int = Field(ge=0, le=MAX_TICK)
    order: str
    parameters: dict[str, Any]
    origin: Origin
    sender: str = ""
    message_id: str | None = None
