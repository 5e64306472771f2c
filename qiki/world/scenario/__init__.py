"""Scenarios: descriptions of worlds, written in YAML."""

from qiki.shipped import scenario_names
from qiki.world.scenario.contact import TYPICAL_RCS_M2, ContactSpec, SwarmSpec, TransponderSpec
from qiki.world.scenario.model import BotStart, Latency, Scenario, load_named_scenario, load_scenario

__all__ = [
    "TYPICAL_RCS_M2",
    "BotStart",
    "ContactSpec",
    "Latency",
    "Scenario",
    "SwarmSpec",
    "TransponderSpec",
    "load_named_scenario",
    "load_scenario",
    "scenario_names",
]
