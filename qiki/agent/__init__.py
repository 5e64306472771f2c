"""The agent's core: it looks at the twin, lets engines propose, decides, and commands the vehicle.

What the author of an engine needs is here; the folders inside are the agent's own.
"""

from qiki.agent.engine import GROUP, Engine, EngineFactory
from qiki.agent.proposals import Action, Proposal, cruise, fire, turn
from qiki.agent.world import TELEMETRY, TRACKS, ActiveAlert, Input, SeenTrack, World
from qiki.contracts.events.agent import Evidence

__all__ = [
    "GROUP",
    "TELEMETRY",
    "TRACKS",
    "Action",
    "ActiveAlert",
    "Engine",
    "EngineFactory",
    "Evidence",
    "Input",
    "Proposal",
    "SeenTrack",
    "World",
    "cruise",
    "fire",
    "turn",
]
