"""State of the registrar after a start, read from the end of its files: events registered, the chain's end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from qiki.audit.files import audit_files, lines_backward
from qiki.audit.heads import is_signature
from qiki.audit.record import DamagedLineError, Draft, Entry, Head, unseal
from qiki.audit.standing import Break
from qiki.clock import parse_rfc3339
from qiki.contracts.events import RADAR_FRAMES_SEEN

CAPACITY = 200_000
"""Events in the index. An event is redelivered while it is not acknowledged (at most 512 events), or published again
after the broker's duplicate window: minutes later, not months. The broker keeps events for a week."""


MAX_BREAKS = 8


class SeenEvents:
    """The newest events by source and id, which identify an event (CloudEvents); the oldest are dropped."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._keys: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, source: str, event_id: str) -> bool:
        """Add an event; return False for a duplicate."""
        key = _key(source, event_id)
        if key in self._keys:
            return False
        if len(self._keys) >= self.capacity:
            del self._keys[next(iter(self._keys))]
        self._keys[key] = None
        return True

    def unseen(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Return the drafts that are not registered, without duplicates."""
        fresh: dict[bytes, Draft] = {}
        for draft in drafts:
            key = _key(draft.source, draft.event_id)
            if key not in self._keys:
                fresh.setdefault(key, draft)
        return list(fresh.values())


def _key(source: str, event_id: str) -> bytes:
    return blake2b(f"{source}\n{event_id}".encode(), digest_size=16).digest()


@dataclass
class Recalled:
    """State read from the files."""

    seen: SeenEvents  # events registered
    radar: dict[str, dict[str, Any]] = field(default_factory=dict)  # newest summary of radar traffic, by event type
    after_anchor: list[Entry] = field(default_factory=list)  # entries that the audit stream may lack, oldest first
    contradiction: Head | None = None  # the files' record with the anchor's sequence, if it is another one
    breaks: list[Break] = field(default_factory=list)  # where records do not follow each other, newest first


def recall(folder: Path, anchor: Head | None, since: datetime, seen: SeenEvents | None = None) -> Recalled:
    """Read backward until the events are older than `since`: those before are not redelivered.

    `anchor` is the newest record in the audit stream; None: the stream is empty and may lack all of the newest file.
    """
    recalled = Recalled(SeenEvents() if seen is None else seen)
    capacity_left, names = True, list[tuple[str, str]]()
    link: Head | None = None  # the record before the one read last, as that names it
    newest = audit_files(folder)[-1:]
    reached = False  # the anchor's place, or a break: what is before that is not published again
    for path, entry in _backward(folder):
        if link and link != entry.head:
            recalled.breaks = [*recalled.breaks, Break(entry.head, link)][:MAX_BREAKS]
            reached = True
        link = entry.before
        if not reached and (([path] == newest) if anchor is None else (entry.head.sequence > anchor.sequence)):
            recalled.after_anchor.append(entry)
        elif not reached and anchor:
            reached = True
            if entry.head.sequence == anchor.sequence and entry.head != anchor:
                recalled.contradiction = entry.head
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
    """Return whether an event may be redelivered: a summary is not, for its place in the stream is unique."""
    return bool(entry.fields["source"] != RADAR_FRAMES_SEEN.source and not is_signature(entry))


def _backward(folder: Path) -> Iterator[tuple[Path, Entry]]:
    for path in reversed(audit_files(folder)):
        for line in lines_backward(path):
            try:
                yield path, unseal(line)
            except DamagedLineError:
                continue


def continued(head: Head, anchor: Head | None) -> Head:
    """Return the head that the next record continues: no sequence is given twice, so missing records stay visible."""
    return anchor if anchor and anchor.sequence >= head.sequence else head


def found_instead(head: Head, anchor: Head | None, contradiction: Head | None) -> Head | None:
    """Return the record that the files hold in place of the anchor, if any: `contradiction`, or their end `head`."""
    if contradiction or anchor is None:
        return contradiction
    return head if anchor.sequence > head.sequence else None
