"""State of the registrar after a start, read from the end of its files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from qiki.audit.dedupe import SeenEvents
from qiki.audit.files import audit_files, lines_backward
from qiki.audit.record import DamagedLineError, Entry, Head, unseal
from qiki.clock import parse_rfc3339
from qiki.contracts.events import RADAR_FRAMES_SEEN


@dataclass
class Recalled:
    """State read from the files."""

    seen: SeenEvents  # events registered
    radar: dict[str, dict[str, Any]] = field(default_factory=dict)  # newest summary of radar traffic, by event type
    after_anchor: list[Entry] = field(default_factory=list)  # entries that the audit stream may lack, oldest first
    contradiction: Head | None = None  # the files' record with the anchor's sequence, if it is another one


def recall(folder: Path, anchor: Head | None, since: datetime, seen: SeenEvents | None = None) -> Recalled:
    """Read backward until the events are older than any that the broker keeps.

    Args:
        folder: of the audit log
        anchor: the newest record in the audit stream; None: the stream is empty and may lack all of the newest file
        since: events before this time are not redelivered
        seen: an empty index
    """
    recalled = Recalled(SeenEvents() if seen is None else seen)
    capacity_left, names = True, list[tuple[str, str]]()
    newest = audit_files(folder)[-1:]
    for path, entry in _backward(folder):
        _judge(recalled, entry, anchor, in_newest=[path] == newest)
        old = parse_rfc3339(entry.fields["registered_at"]) < since
        capacity_left = capacity_left and not old and len(names) < recalled.seen.capacity
        if not can_come_again(entry):
            recalled.radar.setdefault(entry.fields["event_type"], entry.fields["payload"])
        elif capacity_left:
            names.append((entry.fields["source"], entry.fields["event_id"]))
        if not capacity_left and (anchor is None or entry.head.sequence <= anchor.sequence):
            break
    for name in reversed(names):
        recalled.seen.add(*name)
    recalled.after_anchor.reverse()
    return recalled


def can_come_again(entry: Entry) -> bool:
    """Return whether an event may be redelivered: a summary may not, its place in the stream is unique."""
    return bool(entry.fields["source"] != RADAR_FRAMES_SEEN.source)


def _judge(recalled: Recalled, entry: Entry, anchor: Head | None, *, in_newest: bool) -> None:
    if anchor is None:
        if in_newest:
            recalled.after_anchor.append(entry)
    elif entry.head.sequence > anchor.sequence:
        recalled.after_anchor.append(entry)
    elif entry.head.sequence == anchor.sequence and entry.head != anchor:
        recalled.contradiction = entry.head


def _backward(folder: Path) -> Iterator[tuple[Path, Entry]]:
    for path in reversed(audit_files(folder)):
        for line in lines_backward(path):
            try:
                yield path, unseal(line)
            except DamagedLineError:
                continue
