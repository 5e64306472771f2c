"""Export a recording: JSON Lines of all, or a table of the tracks."""

import contextlib
import csv
from collections.abc import Iterator
from typing import Any, TextIO

from pydantic_core import from_json, to_json

from qiki.clock import parse_rfc3339
from qiki.contracts import topics
from qiki.contracts.headers import FRAME, RUN, Message
from qiki_harness.errors import RecordingError
from qiki_harness.recording.layout import Recorded
from qiki_harness.recording.reader import Recording

_NS = 1e9
_EVENTS = "qiki.events.v1."
_TYPES = {
    topics.TELEMETRY.subject: "telemetry",
    topics.TRACKS.subject: "radar_track",
    topics.RESPONSES.subject: "control_ack",
}
_PLAIN = (
    "timestamp", "track_id", "object_type", "iff", "transponder_id", "status", "quality", "range_m", "bearing_deg",
    "elev_deg", "vr_mps", "snr_db", "age_s", "miss_count",
)  # fmt: skip
_VECTORS = ("position", "velocity")
TRACK_COLUMNS = ("run_id", "frame", *_PLAIN, *(f"{name}_{axis}" for name in _VECTORS for axis in "xyz"))


def json_lines(recording: Recording) -> Iterator[bytes]:
    """Yield the lines of the contract's recording format, each with its line break."""
    for recorded in recording.messages():
        message = recorded.message
        yield (
            to_json(
                {
                    "schema_version": 1,
                    "type": _type(message.subject),
                    "ts_epoch": recorded.event_ns / _NS,
                    "ts_ingest_epoch": _ingest(recorded),
                    "subject": message.subject,
                    "data": _data(message.body),
                }
            )
            + b"\n"
        )


def tracks_csv(recording: Recording, out: TextIO) -> None:
    """Write one row a track message, under a line of names; positions and velocities in m and m/s."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(TRACK_COLUMNS)
    for recorded in recording.messages({topics.TRACKS.subject}):
        try:
            writer.writerow(_row(recorded.message))
        except (ValueError, LookupError, TypeError):
            raise RecordingError(f"{recording.path}: message {recorded.number} is no track") from None


def _row(message: Message) -> list[Any]:
    fields = from_json(message.body)
    vectors = (fields[name][axis] for name in _VECTORS for axis in "xyz")
    return [message.headers.get(RUN), message.headers.get(FRAME), *(fields[name] for name in _PLAIN), *vectors]


def _type(subject: str) -> str:
    return "event" if subject.startswith(_EVENTS) else _TYPES.get(subject, "unknown")


def _ingest(recorded: Recorded) -> float:
    """Return the wall time of a message: what its body says, else that of its arrival [s]."""
    fields = _data(recorded.message.body)
    text = fields.get("ts_ingest") if isinstance(fields, dict) else None
    with contextlib.suppress(ValueError, TypeError):
        return parse_rfc3339(text).timestamp() if text else recorded.came_ns / _NS
    return recorded.came_ns / _NS


def _data(body: bytes) -> Any:
    """Return a body as JSON; one that is none as text."""
    try:
        return from_json(body)
    except ValueError:
        return body.decode(errors="replace")
