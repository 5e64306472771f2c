"""The agent's core: it observes the twin, asks engines for proposals, decides, and commands the vehicle.

The author of an engine imports all from here, and predictions from `qiki.agent.prediction`, which needs numpy; the
other modules inside are the agent's own.
"""

from qiki.agent.engine import GROUP, Engine, EngineFactory, SavingEngine
from qiki.agent.proposals import Action, Proposal, cruise, fire, turn
from qiki.agent.world import TELEMETRY, TRACKS, ActiveAlert, Input, SeenEstimate, SeenTrack, World
from qiki.botspec.config import BotConfig
from qiki.contracts.enums import CommandType, FriendFoe, ObjectType, ProposalType, RadarTrackStatus
from qiki.contracts.estimates import TrackEstimate
from qiki.contracts.events import BiosStatus, Evidence
from qiki.contracts.fields import Vector
from qiki.contracts.radar import GuardAlert, RadarTrack
from qiki.contracts.telemetry import TelemetrySnapshot

__all__ = ["GROUP", "Engine", "EngineFactory", "SavingEngine"]
__all__ += ["Action", "Proposal", "cruise", "fire", "turn"]
__all__ += ["TELEMETRY", "TRACKS", "ActiveAlert", "Input", "SeenEstimate", "SeenTrack", "World"]
__all__ += ["BiosStatus", "BotConfig", "Evidence", "GuardAlert", "RadarTrack", "TelemetrySnapshot"]
__all__ += ["TrackEstimate", "Vector"]
__all__ += ["CommandType", "FriendFoe", "ObjectType", "ProposalType", "RadarTrackStatus"]
