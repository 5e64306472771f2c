"""The interface of an engine, which an entry point of the group `qiki.engines` provides, and its results."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from qiki.agent.proposals import Proposal
from qiki.agent.world import World
from qiki.botspec.config import BotConfig

GROUP = "qiki.engines"


class Engine(Protocol):
    """A source of proposals.

    The service calls `propose` in the engine's own thread, never twice at once. An engine that raises, or that takes
    longer than the agent's budget, is a cause of SAFE_MODE.
    """

    def propose(self, world: World) -> Iterable[Proposal]:
        """Return proposals for this tick, often none."""


@runtime_checkable
class SavingEngine(Protocol):
    """An engine that keeps something from tick to tick, so that its run can be saved and goes on from there."""

    def save(self) -> Any:
        """Return what it keeps, of values that JSON has."""

    def load(self, saved: Any) -> None:
        """Take up what `save` of an engine of the same bot returned; ValueError if it does not fit."""


class EngineFactory(Protocol):
    """The class or function that the entry point names."""

    def __call__(self, bot: BotConfig) -> Engine:
        """Return an engine for this bot."""


class FaultKind(StrEnum):
    """Kinds of engine faults."""

    FAILED = "failed"
    OVERRUN = "overrun"


@dataclass(frozen=True, slots=True)
class EngineFault:
    """A fault of an engine, in one line; `trace` is the traceback of what it raised, empty for other faults."""

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
