"""Commands, acknowledgements, telemetry, truth, tracked frames and alerts as JSON."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from qiki.contracts.control import CommandMessage, ControlAck
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.fields import Payload
from qiki.contracts.radar import GuardAlert, TrackedFrame
from qiki.contracts.telemetry import TelemetrySnapshot, TruthSnapshot

ID = "6f1c3d1e-0000-4000-8000-000000000001"
AT = "2026-01-02T03:04:05.000006Z"
ZERO = {"x": 0.0, "y": 0.0, "z": 0.0}
COMMAND = {
    "command_name": "sim.start",
    "parameters": {"speed": 2.0},
    "metadata": {
        "message_id": ID, "correlation_id": None, "timestamp": AT, "message_type": "command", "source": "test",
        "destination": "q-sim-service",
    },
}  # fmt: skip
ACK = {
    "version": 1, "kind": "sim.start", "timestamp": AT, "requestId": ID, "request_id": ID, "success": False,
    "ok": False, "payload": {"command_name": "sim.start", "status": "rejected"}, "error": "no",
    "error_detail": {"code": "rejected", "message": "no", "details": {}},
}  # fmt: skip
TELEMETRY = {
    "schema_version": 1, "source": "q-sim-service", "timestamp": AT, "ts_unix_ms": 1767323045000,
    "sim_state": {"running": True, "paused": False, "speed": 1.0, "tick": 20, "run_id": ID, "behind_s": 0.0},
    "position": ZERO, "velocity": 0.0, "heading": 90.0,
    "attitude": {"roll_rad": 0.0, "pitch_rad": 0.0, "yaw_rad": 0.0}, "battery": 80.0, "hull": {"integrity": 100.0},
    "power": {
        "soc_pct": 80.0, "power_in_w": 1.0, "power_out_w": 2.0, "bus_v": 28.0, "bus_a": 0.1, "sources_w": {"dock": 1.0},
        "loads_w": {"radar": 2.0}, "supercap_soc_pct": 50.0, "dock_connected": True, "nbl_active": False,
        "load_shedding": True, "shed_loads": ["radar"], "faults": [],
    },
    "thermal": {"nodes": [{"id": "core", "temp_c": 20.0, "t_max_c": 80.0, "tripped": False}]},
    "propulsion": {"propellant_kg": 10.0, "rcs_active": False}, "docking": {"state": "docked", "port": "A"},
    "comms": {"xpdr_mode": 1, "xpdr_allowed": True}, "sensors": {},
}  # fmt: skip
TRUTH = {
    "run_id": ID, "frame": 3, "timestamp": AT, "bot": {"position": ZERO, "velocity": ZERO},
    "contacts": [{
        "id": "c-1", "object_type": 1, "iff": 2, "transponder_mode": 3, "transponder_id": None, "position": ZERO,
        "velocity": ZERO,
    }],
}  # fmt: skip
TRACKED = {"run_id": ID, "frame_id": ID, "frame": 3, "timestamp": AT, "tracks": 0}
ESTIMATES = {
    "run_id": ID, "frame": 3, "timestamp": AT, "part": 1, "parts": 1,
    "tracks": [{
        "track_id": ID, "state": [1.5] * 9, "covariance": [2.5] * 45, "mode_probabilities": [0.75, 0.25],
        "existence": 0.9,
    }],
}  # fmt: skip
ALERT = {
    "schema_version": 1, "category": "radar", "kind": "guard_alert", "source": "guard", "subject": "RULE",
    "ts_epoch": 1.5, "rule_id": "RULE", "id": ID, "track_id": ID, "fsm_event": "EVENT", "severity": "critical",
    "message": "close", "range_m": 60.0, "quality": 0.9, "iff": 3, "transponder_on": False, "transponder_mode": 0,
}  # fmt: skip
BODIES: list[tuple[type[Payload], dict[str, Any]]] = [
    (CommandMessage, COMMAND),
    (ControlAck, ACK),
    (TelemetrySnapshot, TELEMETRY),
    (TruthSnapshot, TRUTH),
    (TrackedFrame, TRACKED),
    (GuardAlert, ALERT),
    (TrackEstimates, ESTIMATES),
]


@pytest.mark.parametrize(("model", "body"), BODIES)
def test_a_body_is_written_with_the_contracts_keys_in_its_order(model: type[Payload], body: dict[str, Any]):
    assert json.dumps(json.loads(model.from_json(json.dumps(body).encode()).to_json())) == json.dumps(body)


@pytest.mark.parametrize(("model", "body"), BODIES)
def test_fields_of_a_later_version_are_ignored(model: type[Payload], body: dict[str, Any]):
    later = json.dumps(body | {"later": {"x": 1}}).encode()
    assert model.from_json(later) == model.from_json(json.dumps(body).encode())


def floats(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the floats in a body."""
    if isinstance(value, float):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in items for found in floats(one, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], by: str) -> Any:
    if not path:
        return by
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


CASES = [(model, body, path) for model, body in BODIES[2:] for path in floats(body)]


@pytest.mark.parametrize(
    ("model", "body", "path"), CASES, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else ""
)
@pytest.mark.parametrize("number", ["NaN", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(model: type[Payload], body: dict[str, Any], path: tuple, number: str):
    text = json.dumps(replaced(body, path, "HERE")).replace('"HERE"', number)
    with pytest.raises(ValidationError, match="finite"):
        model.from_json(text.encode())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command_name": "", "metadata": {}},
        {"command_name": "x"},
        {"command_name": "x", "metadata": {"message_id": 5}},
    ],
)
def test_a_malformed_command_is_refused(body: dict[str, Any]):
    with pytest.raises(ValidationError):
        CommandMessage.from_json(json.dumps(body).encode())


def test_what_a_command_leaves_out_has_a_default():
    command = CommandMessage.from_json(
        json.dumps({"command_name": "sim.stop", "metadata": {"message_id": ID}}).encode()
    )
    assert (command.parameters, str(command.metadata.message_id), command.metadata.timestamp) == ({}, ID, None)


@pytest.mark.parametrize("change", [{"frame": -1}, {"tracks": -1}, {"timestamp": "2026-01-02T03:04:05"}])
def test_a_tracked_frame_out_of_bounds_is_refused(change: dict[str, Any]):
    with pytest.raises(ValidationError, match=next(iter(change))):
        TrackedFrame.from_json(json.dumps(TRACKED | change).encode())


@pytest.mark.parametrize("change", [{"frame": -1}, {"part": 0}, {"parts": 0}, {"timestamp": "2026-01-02T03:04:05"}])
def test_estimates_out_of_bounds_are_refused(change: dict[str, Any]):
    with pytest.raises(ValidationError, match=next(iter(change))):
        TrackEstimates.from_json(json.dumps(ESTIMATES | change).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"state": [0.0] * 8},
        {"covariance": [0.0] * 46},
        {"mode_probabilities": []},
        {"mode_probabilities": [1.5]},
        {"existence": 1.1},
    ],
)
def test_an_estimate_of_another_shape_is_refused(change: dict[str, Any]):
    tracks = [ESTIMATES["tracks"][0] | change]
    with pytest.raises(ValidationError, match=next(iter(change))):
        TrackEstimates.from_json(json.dumps(ESTIMATES | {"tracks": tracks}).encode())
