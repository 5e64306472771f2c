"""Recorded messages in words, one line each."""

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from qiki.contracts.control import ControlAck
from qiki.contracts.enums import CommandType, FSMState, ObjectType
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import (
    EVENTS,
    ActionTaken,
    ActuatorOutcome,
    Decision,
    GuardCleared,
    IdentitySpoofed,
    SystemMode,
)
from qiki.contracts.events.table import CODE
from qiki.contracts.headers import Message
from qiki.contracts.radar import GuardAlert, RadarDetection, RadarFrame, RadarTrack, TrackedFrame
from qiki.contracts.sim import SimOrder
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.world.vehicle.orders import SetMode

_WHEN = {(kind.subject, str(kind.code)): kind.when for kind in EVENTS}
_COMMON = frozenset({"schema_version", "category", "source", "ts_epoch", "kind", "run_id"})
_LONGEST = 160
_MODE_COMMANDS = frozenset({SetMode.name, CommandType.SET_MODE.name})


def short(identity: UUID | str) -> str:
    """Return the first digits of an id."""
    return str(identity)[:8]


def order(body: SimOrder) -> str:
    """Return an order, its sender, and the tick after which it took effect."""
    given = " ".join(f"{name}={_set(body.order, value)}" for name, value in body.parameters.items())
    return f"{body.order} {given}".rstrip() + f", by {body.sender or body.origin}, at tick {body.tick}"


def decision(body: Decision) -> str:
    """Return the outcome of a proposal."""
    commands = "; ".join(map(_command, body.actions)) or "no command"
    reason = f" ({body.reason})" if body.reason else ""
    return f"{body.status.name}{reason} in state {body.state.name}: {commands}"


def proposal(body: Decision) -> str:
    """Return the proposal that was decided on."""
    weight = f"priority {body.priority:g}, confidence {body.confidence:g}"
    return f"by {body.source}, {body.type.name}, {weight}: {body.justification}"


def mode(body: SystemMode) -> str:
    """Return a change of the agent's mode."""
    change = body.mode if body.mode == body.previous else f"{body.previous} to {body.mode}"
    reasons = "; ".join(body.reasons)
    if reasons.startswith(body.trigger):  # the first reason names it
        return f"{change}, {reasons}"
    return f"{change}, {body.trigger}" + (f" (was {reasons})" if reasons else "")


def alert(body: GuardAlert) -> str:
    """Return an alert of the guard."""
    return f"{body.rule_id} ({body.severity}): {body.message}, track {short(body.track_id)}"


def resumed(body: GuardAlert) -> str:
    """Return an alert that holds again within its cooldown."""
    return f"again {alert(body)}"


def cleared(body: GuardCleared) -> str:
    """Return the end of an alert."""
    return f"{body.rule_id} is over, track {short(body.track_id)}"


def spoofed(body: IdentitySpoofed) -> str:
    """Return a spoofer that was found."""
    return f"track {short(body.track_id)} claims {body.transponder_id or 'an identity'}, which is another's"


def track(body: RadarTrack) -> str:
    """Return the state of a track at a frame."""
    kind = f" {body.object_type.name}" if body.object_type is not ObjectType.OBJECT_TYPE_UNSPECIFIED else ""
    identity = f" {body.transponder_id}" if body.transponder_id else ""
    missed = f", {body.miss_count} misses" if body.miss_count else ""
    return (
        f"{short(body.track_id)} {body.status.name}{kind} {body.iff.name}{identity}: "
        f"{_place(body.range_m, body.bearing_deg, body.elev_deg)}, {body.vr_mps:+.1f} m/s, "
        f"quality {body.quality:.2f}, {body.age_s:.1f} s old{missed}"
    )


def frame(number: int, body: RadarFrame) -> str:
    """Return a frame of the radar."""
    return f"{number}: {_count(len(body.detections), 'plot')}"


def plot(row: int, body: RadarFrame) -> str:
    """Return a plot of a frame: range, bearing, elevation, Doppler, SNR."""
    found: RadarDetection = body.detections[row]
    identity = f", replies {found.transponder_id}" if found.transponder_id else ""
    return (
        f"{row + 1} of {len(body.detections)}: {_place(found.range_m, found.bearing_deg, found.elev_deg)}, "
        f"Doppler {found.vr_mps:+.2f} m/s, SNR {found.snr_db:.1f} dB{identity}"
    )


def notice(body: TrackedFrame) -> str:
    """Return the notice of a tracked frame."""
    return f"of frame {body.frame}: {_count(body.tracks, 'track')} stored"


def estimates(body: TrackEstimates) -> str:
    """Return a part of a frame's estimates."""
    part = f", part {body.part} of {body.parts}" if body.parts > 1 else ""
    return f"of frame {body.frame}: the states of {_count(len(body.tracks), 'track')}{part}"


def telemetry(body: TelemetrySnapshot) -> str:
    """Return the bot's own state."""
    at = ", ".join(f"{value:.1f}" for value in (body.position.x, body.position.y, body.position.z))
    faults = f", {', '.join(body.power.faults)}" if body.power.faults else ""
    charge = f"battery {body.power.soc_pct:.0f} %, hull {body.hull.integrity:.0f} %"
    return f"at ({at}) m, {body.velocity:.2f} m/s, {charge}{faults}"


def outcome(body: ActuatorOutcome) -> str:
    """Return the answer of an actuator."""
    return f"{body.actuator} {'accepts' if body.accepted else 'refuses'} a command: {body.message}"


def answer(body: ControlAck) -> str:
    """Return the acknowledgement of a control command."""
    return f"to {body.kind or 'a command'}: {'done' if body.ok else body.error or 'refused'}"


def event(message: Message) -> str:
    """Return an event of any kind: when it is raised, and what it says."""
    when = _WHEN.get((message.subject, message.headers.get(CODE, "")), "an event")
    try:
        body = from_json(message.body)
    except ValueError:
        body = {}
    fields = body if isinstance(body, Mapping) else {}
    told = ", ".join(f"{name}={_value(value)}" for name, value in fields.items() if name not in _COMMON)
    text = f"{when}: {told}" if told else when
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _command(action: ActionTaken) -> str:
    lasts = f" for {action.timeout_ms / 1000:g} s" if action.timeout_ms else ""
    answers = {True: "accepted", False: "refused", None: "not sent"}
    return f"{action.actuator} {action.command} {_set(action.command, action.value)}{lasts}, {answers[action.accepted]}"


def _place(range_m: float, bearing_deg: float, elev_deg: float) -> str:
    return f"{range_m:.1f} m, bearing {bearing_deg:.2f}°, elevation {elev_deg:.2f}°"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _set(command: str, value: Any) -> str:
    """Return a command's value; a mode by its name."""
    if command in _MODE_COMMANDS and value in list(FSMState):
        return FSMState(int(value)).name
    return _value(value)


def _value(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    return str(value)
