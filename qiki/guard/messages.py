"""The messages of a frame: its tracks and estimates, what the guard found, and the notice that all are stored."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from uuid import UUID

from qiki.clock import parse_rfc3339, rfc3339
from qiki.contracts import events, topics
from qiki.contracts import headers as names
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import EncodedMessage, FrameOrigin, Message
from qiki.contracts.ids import estimates_message_id, frame_message_id, run_frame_id, track_message_id
from qiki.contracts.radar import GuardAlert, TrackedFrame
from qiki.guard.judge import Ended
from qiki.guard.tracked_run import Tracked
from qiki.tracking.bodies import track_bodies
from qiki.tracking.estimate_bodies import estimate_bodies

_TRACK = "\N{NULL}"  # stands for a track's id in a template: no header holds it


def track_messages(tracked: Tracked, ts_ingest: str) -> Iterator[Message]:
    """Yield one message a track."""
    shared = _shared_headers(tracked)
    for track_id, confidence, body in _tracks(tracked, ts_ingest):
        message_id = track_message_id(tracked.run, tracked.key, track_id)
        headers = shared | {names.MESSAGE_ID: message_id, "ce-id": message_id}
        if confidence:
            headers[names.TYPE_CONFIDENCE] = names.probability(confidence)
        yield Message(topics.TRACKS.subject, body, headers)


def encoded_track_messages(tracked: Tracked, ts_ingest: str) -> list[EncodedMessage]:
    """Return the same messages with their headers encoded: one block, into which each track's id is put."""
    message_id = track_message_id(tracked.run, tracked.key, _TRACK)
    block = names.encoded(_shared_headers(tracked) | {names.MESSAGE_ID: message_id, "ce-id": message_id})
    start, middle, end = block.split(_TRACK.encode())
    subject = topics.TRACKS.subject
    messages = []
    for track_id, confidence, body in _tracks(tracked, ts_ingest):
        name = track_id.encode()
        last = end if not confidence else b"%b%b\r\n" % (end[:-2], _confidence(names.probability(confidence)))
        messages.append(EncodedMessage(subject, b"".join((start, name, middle, name, last)), body))
    return messages


def _tracks(tracked: Tracked, ts_ingest: str) -> Iterator[tuple[str, float, bytes]]:
    """Yield id, confidence of the type and body of each track."""
    reports = tracked.reports
    bodies = track_bodies(reports, ts_ingest)
    return zip(reports.track_id, reports.type_confidence.tolist(), bodies, strict=True)


def _shared_headers(tracked: Tracked) -> dict[str, str]:
    event = names.cloud_event("", names.TRACK_TYPE, names.TRACK_SOURCE, tracked.reports.timestamp)
    return event | _place(tracked)


@lru_cache(128)
def _confidence(text: str) -> bytes:
    return f"{names.TYPE_CONFIDENCE}: {text}\r\n".encode()


def estimates_messages(tracked: Tracked) -> list[Message]:
    """Return the parts of a frame's estimates; none where nobody wants them."""
    if tracked.estimates is None:
        return []
    time = tracked.reports.timestamp
    return [
        Message(topics.ESTIMATES.subject, body, _estimates_headers(tracked, part, time))
        for part, body in enumerate(estimate_bodies(tracked.estimates, tracked.run, tracked.number, time), 1)
    ]


def _estimates_headers(tracked: Tracked, part: int, time: str) -> dict[str, str]:
    message_id = estimates_message_id(tracked.run, tracked.key, part)
    return names.cloud_event(message_id, names.ESTIMATES_TYPE, names.TRACK_SOURCE, time) | _place(tracked)


def guard_messages(tracked: Tracked) -> Iterator[Message]:
    """Yield an event for each alert that begins, that holds again, and that is over."""
    for alert in tracked.judgement.alerts:
        yield _met(events.GUARD_ALERT, alert, tracked)
    for alert in tracked.judgement.resumed:
        yield _met(events.GUARD_RESUMED, alert, tracked, ":resumed")
    for ended in tracked.judgement.ended:
        event_id = f"{tracked.run}:{tracked.key}:{ended.track_id}:{ended.rule_id}:cleared"
        headers = dict(events.GUARD_CLEARED.headers(event_id, tracked.reports.moment)) | _place(tracked)
        yield Message(events.GUARD_CLEARED.subject, cleared_of(ended, tracked).to_json(), headers)


def _met(kind: events.EventKind, alert: GuardAlert, tracked: Tracked, suffix: str = "") -> Message:
    """Return the event of a guard rule that is met, with the severity of the rule."""
    event_id = f"{tracked.run}:{tracked.key}:{alert.track_id}:{alert.rule_id}{suffix}"
    headers = dict(kind.headers(event_id, tracked.reports.moment)) | {events.SEVERITY: alert.severity.upper()}
    return Message(kind.subject, alert.to_json(), headers | _place(tracked))


def spoofer_messages(tracked: Tracked) -> Iterator[Message]:
    """Yield an event for each track that is found a spoofer."""
    reports = tracked.reports
    moment = reports.moment
    for row in tracked.spoofers:
        body = events.IdentitySpoofed(
            run_id=tracked.run,
            track_id=UUID(reports.track_id[row]),
            transponder_id=reports.transponder_id[row],
            range_m=float(reports.range_m[row]),
            ts_epoch=moment.timestamp(),
        )
        headers = dict(events.IDENTITY_SPOOFED.headers(f"{tracked.run}:{body.track_id}:spoof", moment))
        yield Message(events.IDENTITY_SPOOFED.subject, body.to_json(), headers | _place(tracked))


def tracked_message(tracked: Tracked, sequence: int | None = None, parts: int = 0) -> Message:
    """Return the notice that a frame is tracked.

    Args:
        sequence: the frame's place in its stream
        parts: number of messages with its estimates
    """
    place = {} if sequence is None else {names.SEQUENCE: str(sequence)}
    marks = {names.ALERTS: str(tracked.judgement.count), names.ESTIMATES: str(parts)}
    return _notice(notice_of(tracked), tracked.key, place | marks)


def cleared_of(ended: Ended, tracked: Tracked) -> events.GuardCleared:
    """Return the payload of an alert that is over."""
    track, time_s = UUID(ended.track_id), tracked.reports.moment.timestamp()
    return events.GuardCleared(
        run_id=tracked.run, rule_id=ended.rule_id, track_id=track, fsm_event=ended.fsm_event, ts_epoch=time_s
    )


def notice_of(tracked: Tracked) -> TrackedFrame:
    """Return the payload of the notice that a frame is tracked."""
    number, reports = tracked.number, tracked.reports
    return TrackedFrame(
        run_id=tracked.run, frame_id=tracked.frame_id, frame=number, timestamp=reports.moment, tracks=len(reports)
    )


def _notice(body: TrackedFrame, key: str, marks: Mapping[str, str]) -> Message:
    time = rfc3339(body.timestamp)
    headers = names.cloud_event(f"{body.run_id}:{key}:tracked", names.TRACKED_TYPE, names.TRACK_SOURCE, time)
    headers |= {names.RUN: body.run_id, names.FRAME: str(body.frame), **marks}
    return Message(topics.TRACKED.subject, body.to_json(), headers)


def buried_message(origin: FrameOrigin, headers: Mapping[str, str], sequence: int, reason: str) -> Message | None:
    """Return the notice that the frame stored at `sequence` gave nothing: it went to the dead letters.

    None for a message that only borrows a run's headers: a frame of the run has the frame's own message id and time.
    """
    if headers.get(names.MESSAGE_ID) != frame_message_id(origin.run, origin.frame, RadarRangeBand.RR_UNSPECIFIED.name):
        return None
    try:
        frame_id, timestamp = run_frame_id(UUID(origin.run), origin.frame), parse_rfc3339(headers["ce-time"])
    except (LookupError, ValueError):
        return None
    body = TrackedFrame(run_id=origin.run, frame_id=frame_id, frame=origin.frame, timestamp=timestamp, tracks=0)
    marks = {names.SEQUENCE: str(sequence), names.ALERTS: "0", names.REASON: reason}
    return _notice(body, str(origin.frame), marks)


def _place(tracked: Tracked) -> dict[str, str]:
    return {names.RUN: tracked.run, names.FRAME: str(tracked.number)}
