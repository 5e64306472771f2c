"""What a tracked frame says on the wire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_json

from faststream_bridge.runs import Tracked
from qiki.clock import parse_rfc3339
from qiki.contracts import headers as names
from qiki.contracts import topics
from qiki.contracts.events import (
    GUARD_ALERT,
    GUARD_CLEARED,
    IDENTITY_SPOOFED,
    SEVERITY,
    GuardCleared,
    IdentitySpoofed,
)
from qiki.contracts.ids import track_message_id
from qiki.contracts.radar import TrackedFrame


@dataclass(frozen=True, slots=True)
class Message:
    """Ready to publish."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


def track_messages(tracked: Tracked, ts_ingest: str) -> Iterator[Message]:
    """One message a track."""
    reports = tracked.reports
    shared = names.cloud_event("", names.TRACK_TYPE, names.TRACK_SOURCE, reports.timestamp)
    shared |= _place(tracked)
    for row in reports.rows(ts_ingest):
        message_id = track_message_id(tracked.run, tracked.key, row["track_id"])
        headers = shared | {names.MESSAGE_ID: message_id, "ce-id": message_id}
        yield Message(topics.TRACKS.subject, to_json(row), headers)


def guard_messages(tracked: Tracked) -> Iterator[Message]:
    """One event a guard alert, and one an alert that is over."""
    moment = parse_rfc3339(tracked.reports.timestamp)
    for alert in tracked.alerts:
        event_id = f"{tracked.run}:{tracked.key}:{alert.track_id}:{alert.rule_id}"
        headers = dict(GUARD_ALERT.headers(event_id, moment)) | {SEVERITY: alert.severity.upper()}
        yield Message(topics.GUARD.subject, alert.to_json(), headers | _place(tracked))
    for ended in tracked.ended:
        body = GuardCleared(
            run_id=tracked.run,
            rule_id=ended.rule_id,
            track_id=UUID(ended.track_id),
            fsm_event=ended.fsm_event,
            ts_epoch=moment.timestamp(),
        )
        event_id = f"{tracked.run}:{tracked.key}:{ended.track_id}:{ended.rule_id}:cleared"
        headers = dict(GUARD_CLEARED.headers(event_id, moment))
        yield Message(GUARD_CLEARED.subject, body.to_json(), headers | _place(tracked))


def spoofer_messages(tracked: Tracked) -> Iterator[Message]:
    """One event a track that is found a spoofer."""
    reports = tracked.reports
    moment = parse_rfc3339(reports.timestamp)
    for row in tracked.spoofers:
        body = IdentitySpoofed(
            run_id=tracked.run,
            track_id=UUID(reports.track_id[row]),
            transponder_id=reports.transponder_id[row],
            range_m=float(reports.range_m[row]),
            ts_epoch=moment.timestamp(),
        )
        headers = IDENTITY_SPOOFED.headers(f"{tracked.run}:{body.track_id}:spoof", moment)
        yield Message(IDENTITY_SPOOFED.subject, body.to_json(), headers)


def tracked_message(tracked: Tracked, sequence: int) -> Message:
    """Says that the frame stored at `sequence` is done with."""
    body = TrackedFrame(
        run_id=tracked.run,
        frame_id=tracked.frame_id,
        frame=tracked.number,
        timestamp=parse_rfc3339(tracked.reports.timestamp),
        tracks=len(tracked.reports),
    )
    message_id = f"{tracked.run}:{tracked.key}:tracked"
    headers = names.cloud_event(message_id, names.TRACKED_TYPE, names.TRACK_SOURCE, tracked.reports.timestamp)
    alerts = len(tracked.alerts) + len(tracked.ended)
    headers |= _place(tracked) | {names.SEQUENCE: str(sequence), names.ALERTS: str(alerts)}
    return Message(topics.TRACKED.subject, body.to_json(), headers)


def _place(tracked: Tracked) -> dict[str, str]:
    return {names.RUN: tracked.run, names.FRAME: str(tracked.number)}
