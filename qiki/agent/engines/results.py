"""The results of the engines in one tick."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from qiki.agent.proposals import Proposal
from qiki.agent.world import World


class FaultKind(StrEnum):
    """Kinds of engine faults."""

    FAILED = "failed"
    OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class EngineFault:
    """A fault of an engine.

    Attributes:
        text: in one line
        trace: the traceback of what it raised; empty for other faults
    """

    kind: FaultKind
    text: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """An engine's result in one tick: well-formed proposals, or a fault."""

    name: str
    proposals: tuple[Proposal, ...] = ()
    duration_s: float = 0.0
    fault: EngineFault | None = None


class EnginePool(Protocol):
    """The engines of an agent, in a fixed order."""

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once; never raises for a fault of an engine."""
