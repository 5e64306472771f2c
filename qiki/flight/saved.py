"""A saved flight: all that a run follows from, and its whole state between two ticks, as a value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from qiki.agent.agent import AgentParameters
from qiki.botspec import BotConfig
from qiki.contracts.fields import first_fault
from qiki.contracts.ticks import TICK_S
from qiki.guard.rules import GuardRules
from qiki.radar.model import SR_THRESHOLD_M
from qiki.state import Saved, StateError, misfit
from qiki.world.scenario import Scenario

FORMAT = 1
"""Of a saved flight; it changes where a state of the same fields means something else."""
PRODUCT = version("qiki-dtmp")
Perception = Literal["tracks", "truth"]


@dataclass(frozen=True)
class FlightInputs:
    """All that a flight follows from, but for orders and engines; see `Flight`."""

    scenario: Scenario
    seed: Annotated[int, Field(ge=0)]
    run_id: UUID
    bot: BotConfig
    rules: GuardRules
    agent: AgentParameters | None
    agent_ticks: Annotated[int, Field(ge=1)]
    sr_threshold_m: float = SR_THRESHOLD_M
    hidden: frozenset[str] = frozenset()
    perception: Perception = "tracks"

    def difference(self, other: Self) -> str:
        """Return the names of the fields that differ; empty where none does."""
        return ", ".join(name for name in self.__dataclass_fields__ if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True)
class SavedFlight:
    """A flight between two ticks.

    Attributes:
        inputs: what it follows from
        state: of world, tracker, guard, agent, engines and random numbers; values that JSON has, which nobody changes
    """

    inputs: FlightInputs
    state: Mapping[str, Any]

    @property
    def tick(self) -> int:
        """Number of ticks done."""
        tick: int = self.state["world"]["tick_count"]
        return tick

    @property
    def t_s(self) -> float:
        """Simulated time since the scenario's epoch."""
        return self.tick * TICK_S

    def to_bytes(self) -> bytes:
        """Return the value as JSON, for `from_bytes`."""
        inputs = _inputs().dump_python(self.inputs, mode="json")
        content = {"format": FORMAT, "product": PRODUCT, "inputs": inputs, "state": self.state}
        return json.dumps(content).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a value.

        Raises:
            StateError: it is none, or of another version.
        """
        try:
            saved: Saved = json.loads(content)
            found = saved["format"], saved["product"]
            if found != (FORMAT, PRODUCT):
                raise StateError(f"saved by qiki-dtmp {found[1]}, format {found[0]} (expected {PRODUCT}, {FORMAT})")
            return cls(_inputs().validate_python(saved["inputs"]), saved["state"])
        except ValidationError as error:
            raise StateError(f"inputs.{first_fault(error)}") from None
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise StateError(f"not a saved flight: {misfit(error)}") from None


@cache
def _inputs() -> TypeAdapter[FlightInputs]:
    return TypeAdapter(FlightInputs)
