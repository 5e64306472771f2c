"""The interface of an engine, which an entry point of the group `qiki.engines` provides."""

from collections.abc import Iterable
from typing import Protocol

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


class EngineFactory(Protocol):
    """The class or function that the entry point names."""

    def __call__(self, bot: BotConfig) -> Engine:
        """Return an engine for this bot."""
