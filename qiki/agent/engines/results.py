"""What the engines did in one tick, as the agent is told of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from qiki.agent.proposals import Proposal
from qiki.agent.world import World


class FaultKind(StrEnum):
    """What an engine can do wrong."""

    FAILED = "failed"
    OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class EngineFault:
    """What an engine did wrong.

    Attributes:
        text: in one line
        trace: the traceback of what it raised; empty for other faults
    """

    kind: FaultKind
    text: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One engine's part in one tick.

    Attributes:
        proposals: well formed; none when there is a fault
        fault: what the engine did wrong
    """

    name: str
    proposals: tuple[Proposal, ...] = ()
    duration_s: float = 0.0
    fault: EngineFault | None = None


class EnginePool(Protocol):
    """The engines that run, always in the same order."""

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once; nothing that an engine does makes it raise."""
