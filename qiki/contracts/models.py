"""Every payload on the wire, under one name."""

from qiki.contracts.control import AckPayload, CommandMessage, CommandMetadata, ControlAck, ErrorDetail
from qiki.contracts.fields import Payload, Vector
from qiki.contracts.radar import (
    MAX_DETECTIONS,
    GuardAlert,
    RadarDetection,
    RadarFrame,
    RadarTrack,
    TrackedFrame,
)
from qiki.contracts.telemetry import (
    Attitude,
    CommsState,
    DockingState,
    HullState,
    PowerState,
    PropulsionState,
    SimState,
    TelemetrySnapshot,
    ThermalNode,
    ThermalState,
    TruthBot,
    TruthContact,
    TruthSnapshot,
)

__all__ = [
    "MAX_DETECTIONS",
    "AckPayload",
    "Attitude",
    "CommandMessage",
    "CommandMetadata",
    "CommsState",
    "ControlAck",
    "DockingState",
    "ErrorDetail",
    "GuardAlert",
    "HullState",
    "Payload",
    "PowerState",
    "PropulsionState",
    "RadarDetection",
    "RadarFrame",
    "RadarTrack",
    "SimState",
    "TelemetrySnapshot",
    "ThermalNode",
    "ThermalState",
    "TrackedFrame",
    "TruthBot",
    "TruthContact",
    "TruthSnapshot",
    "Vector",
]
