"""Recorded messages as elements of a chain: their kinds, their words, their bodies."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json

from qiki.contracts import topics
from qiki.contracts.control import ControlAck
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import ActuatorOutcome, Decision, Evidence, GuardCleared, IdentitySpoofed, SystemMode
from qiki.contracts.headers import MESSAGE_ID
from qiki.contracts.radar import GuardAlert, RadarFrame, RadarTrack, TrackedFrame
from qiki.contracts.sim import SimOrder
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.contracts.ticks import TICK_S
from qiki_harness.recording.layout import Recorded, topic_of
from qiki_harness.recording.why import phrases
from qiki_harness.recording.why.archive import ANSWERS, FRAMES, ORDERS, TRACKS, Archive
from qiki_harness.recording.why.element import Element
from qiki_harness.recording.why.links import (
    ACTUATOR,
    ALERT,
    CLEARED,
    DECISION,
    ESTIMATES,
    MODE,
    NOTICES,
    RESUMED,
    SPOOFED,
)

Words = Callable[[Any], str]
_WORDS: Mapping[str, tuple[str, type[Any], Words]] = {
    ORDERS: ("command", SimOrder, phrases.order),
    DECISION: ("decision", Decision, phrases.decision),
    MODE: ("mode", SystemMode, phrases.mode),
    ALERT: ("alert", GuardAlert, phrases.alert),
    RESUMED: ("alert", GuardAlert, phrases.resumed),
    CLEARED: ("alert", GuardCleared, phrases.cleared),
    SPOOFED: ("alert", IdentitySpoofed, phrases.spoofed),
    TRACKS: ("track", RadarTrack, phrases.track),
    NOTICES: ("notice", TrackedFrame, phrases.notice),
    ESTIMATES: ("estimates", TrackEstimates, phrases.estimates),
    topics.TELEMETRY.subject: ("telemetry", TelemetrySnapshot, phrases.telemetry),
    ACTUATOR: ("actuator", ActuatorOutcome, phrases.outcome),
    ANSWERS: ("answer", ControlAck, phrases.answer),
}
"""Kind, model and words of the messages on a subject; all others are events."""
_LONG = {FRAMES: "detections", ESTIMATES: "tracks"}
"""Lists that a body is given without."""


def element_of(archive: Archive, one: Recorded, age_s: float | None = None) -> Element:
    """Return a message as an element that rests on nothing yet."""
    message = one.message
    kind, text = _described(archive, one)
    return Element(
        kind=kind,
        text=text,
        subject=message.subject,
        message_id=message.headers.get(MESSAGE_ID, ""),
        sequence=one.sequence or None,
        t_s=time_of(archive, one),
        age_s=age_s,
        body=_body(one),
    )


def missing(evidence: Evidence) -> Element:
    """Return evidence whose message is not in the recording."""
    topic = topic_of(evidence.subject)
    noun = topic.noun if topic else "message"
    return Element(noun, "is not in the recording", evidence.subject, sequence=evidence.sequence, age_s=evidence.age_s)


def plot_of(archive: Archive, frame: Recorded, row: int) -> Element:
    """Return a plot of a frame."""
    body = archive.read(frame, RadarFrame)
    fields = {"index": row, **body.detections[row].model_dump(mode="json")}
    return Element("plot", phrases.plot(row, body), computed=True, body=fields)


def time_of(archive: Archive, one: Recorded) -> float:
    """Return the simulated time of a message [s]: an order's is the begin of the tick in which it took effect."""
    return round(archive.since_epoch_s(one.event_ns) - (TICK_S if one.message.subject == ORDERS else 0.0), 6)


def _described(archive: Archive, one: Recorded) -> tuple[str, str]:
    subject = one.message.subject
    if subject == FRAMES:
        return "frame", phrases.frame(archive.frame_of(one), archive.read(one, RadarFrame))
    if subject not in _WORDS:
        return "event", phrases.event(one.message)
    kind, model, words = _WORDS[subject]
    return kind, words(archive.read(one, model))


def _body(one: Recorded) -> Any:
    try:
        body = from_json(one.message.body)
    except ValueError:
        return None
    long = _LONG.get(one.message.subject)
    return {name: value for name, value in body.items() if name != long} if isinstance(body, dict) else body
