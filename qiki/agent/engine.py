"""What an engine is.

One is found by the entry point group `qiki.engines`: a class, or a function, that takes the bot's configuration and
gives an engine.
"""

from collections.abc import Iterable
from typing import Protocol

from qiki.agent.proposals import Proposal
from qiki.agent.world import World
from qiki.botspec.config import BotConfig

GROUP = "qiki.engines"


class Engine(Protocol):
    """Proposes, once a tick.

    `propose` is called in a thread of the engine's own, never twice at once. One that raises, or that takes longer
    than the agent's budget, is a cause of SAFE_MODE.
    """

    def propose(self, world: World) -> Iterable[Proposal]:
        """What the engine would have done now; nothing, mostly."""


class EngineFactory(Protocol):
    """What the entry point names."""

    def __call__(self, bot: BotConfig) -> Engine:
        """An engine for this bot."""
