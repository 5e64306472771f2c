"""The digest of a run: SHA-256 chains over what was published, frame by frame.

A message counts with its subject, its headers `ce-…` and `x-…`, and its body, without what differs from stack to stack:
`ts_ingest` and places in streams. Within a frame the messages of a group are in the order of subject and message id. A
group's chain begins with the run's id, and each frame adds its number and its messages. The chain of the whole adds,
for each frame, the links of its groups; so every prefix of a run has a digest too.

The agent's events count for the newest frame that is not later than they are, the first ones for the first frame.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from qiki.contracts import events, topics
from qiki.contracts.events.table import CODE
from qiki.contracts.headers import FRAME, MESSAGE_ID, RUN, SEQUENCE, Message
from qiki.contracts.numbers import MAX_FRAME, whole_number

RADAR, TRUTH, TRACKER, GUARD, DECISIONS = GROUPS = ("radar", "truth", "tracker", "guard", "decisions")
_GUARD = (events.GUARD_ALERT, events.GUARD_RESUMED, events.GUARD_CLEARED, events.IDENTITY_SPOOFED)
_AGENT = (events.PROPOSAL_ACCEPTED, events.SAFE_MODE_ENTERED, events.BIOS_OK)
GROUP_OF: Mapping[str, str] = {
    **dict.fromkeys((topic.subject for topic in (topics.FRAMES, topics.FRAMES_LR, topics.FRAMES_SR)), RADAR),
    topics.TRUTH.subject: TRUTH,
    **dict.fromkeys((topic.subject for topic in (topics.TRACKS, topics.ESTIMATES, topics.TRACKED)), TRACKER),
    **dict.fromkeys((kind.subject for kind in _GUARD), GUARD),
    **dict.fromkeys((kind.subject for kind in _AGENT), DECISIONS),
}
"""The group of each subject that counts."""

LATE_FRAMES = 100
"""Frames after which no message of a frame is expected any more."""
_TITLE = b"qiki run digest 1"
_TIME = "ce-time"
NO_INGEST = datetime(2026, 1, 1, tzinfo=UTC)
"""Wall time of messages whose wall time counts for nothing."""
_INGEST = re.compile(rb'"ts_ingest":"[^"]*"')
_PLACE = re.compile(rb'"sequence":(?:\d+|null)')
_FRAME = re.compile(rb'"frame": ?(\d{1,16})[,}]')
_RUN = re.compile(rb'"run_id": ?"([^"]{0,64})"')
_HALTED = str(events.AGENT_HALTED.code)


def canonical(message: Message) -> bytes:
    """Return what counts of a message: its subject, its headers by name, and its body."""
    headers = message.headers
    lines = [f"{name}: {headers[name]}" for name in _counted(tuple(headers))]
    return "\n".join([message.subject, *lines, "", ""]).encode() + canonical_body(message.subject, message.body)


def canonical_body(subject: str, body: bytes) -> bytes:
    """Return a body without wall time and places in streams."""
    group = GROUP_OF.get(subject)
    if group in {RADAR, TRACKER}:
        return _INGEST.sub(b'"ts_ingest":null', body)
    return _PLACE.sub(b'"sequence":null', body) if group == DECISIONS else body


def run_of(message: Message) -> str:
    """Return the run that a message belongs to; empty where it names none."""
    if RUN in message.headers:
        return message.headers[RUN]
    found = _RUN.search(message.body)
    return found[1].decode(errors="replace") if found else ""


def frame_of(message: Message) -> int | None:
    """Return the number of the frame that a message belongs to; None where it has none, as the agent's events.

    Raises:
        ValueError: it is malformed.
    """
    if message.subject == topics.TRUTH.subject:
        found = _FRAME.search(message.body)
        if found is None:
            raise ValueError("frame: is missing")
        return whole_number(found[1].decode(), "frame", MAX_FRAME)
    text = message.headers.get(FRAME)
    return None if text is None else whole_number(text, FRAME, MAX_FRAME)


@lru_cache(256)
def _counted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.startswith(("ce-", "x-")) and name != SEQUENCE))


@dataclass(frozen=True, slots=True)
class Link:
    """The chains behind a frame, as hexadecimal digits."""

    frame: int
    whole: str
    groups: Mapping[str, str]


Key = tuple[str, str]
"""Subject and message id."""


@dataclass(slots=True)
class FrameMessages:
    """The messages that count for one frame.

    Attributes:
        time: of the event, as the headers have it; empty where none has come that says it
        messages: by subject and message id
    """

    number: int
    time: str = ""
    messages: dict[Key, Message] = field(default_factory=dict)

    def add(self, message: Message) -> None:
        """Add a message; the same one again changes nothing."""
        subject, message_id = message.subject, message.headers.get(MESSAGE_ID, "")
        while (there := self.messages.get((subject, message_id))) and canonical(there) != canonical(message):
            message_id += "'"  # two messages of one id, of which a stream keeps the first
        self.messages[subject, message_id] = message


class FrameCollector:
    """Collects the messages of a run frame by frame.

    They may come in any order within some frames, and more than once. Those of other runs, of other subjects, and the
    event of the agent's end do not count.

    Args:
        run_id: of the run
        groups: those that count
        late_frames: frames behind the newest that are kept open

    Attributes:
        late: messages that came later than that
    """

    def __init__(self, run_id: str, groups: Collection[str] = GROUPS, late_frames: int = LATE_FRAMES) -> None:
        self.late = 0
        self._late_frames = late_frames
        self._run_id = run_id
        self._groups = frozenset(groups)
        self._open: dict[int, FrameMessages] = {}
        self._undated: list[Message] = []
        self._last = -1

    def add(self, message: Message) -> Iterator[FrameMessages]:
        """Add a message, and yield the frames that it closes.

        Raises:
            ValueError: it is malformed.
        """
        if GROUP_OF.get(message.subject) not in self._groups or message.headers.get(CODE) == _HALTED:
            return iter(())
        if run_of(message) != self._run_id:
            return iter(())
        number = frame_of(message)
        if number is None:
            self._undated.append(message)
            return iter(())
        if number <= self._last:
            self.late += 1
            return iter(())
        frame = self._open.setdefault(number, FrameMessages(number))
        frame.time = frame.time or message.headers.get(_TIME, "")
        frame.add(message)
        return self._close(behind=self._late_frames)

    def finish(self) -> Iterator[FrameMessages]:
        """Yield the frames that are open."""
        return self._close(behind=0)

    def _close(self, behind: int) -> Iterator[FrameMessages]:
        """Yield the frames that are more than so many frames behind the newest."""
        while len(self._open) > behind:
            self._last = min(self._open)
            frame = self._open.pop(self._last)
            for event in self._events(self._begin_of_next()):
                frame.add(event)
            yield frame

    def _begin_of_next(self) -> str:
        """Return the time of the oldest open frame; empty without one."""
        if self._open and (time := self._open[min(self._open)].time):
            return time
        return next((self._open[number].time for number in sorted(self._open) if self._open[number].time), "")

    def _events(self, until: str) -> list[Message]:
        """Return, and forget, the agent's events before a time; all if it is empty."""
        due = [one for one in self._undated if not until or one.headers.get(_TIME, "") < until]
        self._undated = [one for one in self._undated if until and one.headers.get(_TIME, "") >= until]
        return due


class Chains:
    """The chains of a run, which grow frame by frame.

    Attributes:
        links: one for each frame
    """

    def __init__(self, run_id: str, groups: Collection[str] = GROUPS) -> None:
        self.links: list[Link] = []
        self._groups = tuple(group for group in GROUPS if group in groups)
        self._chains = {group: sha256(_TITLE + f" {run_id} {group}".encode()).digest() for group in self._groups}
        self._whole = sha256(_TITLE + f" {run_id}".encode()).digest()

    def add(self, frame: FrameMessages) -> Link:
        """Add the next frame."""
        head = frame.number.to_bytes(8, "big")
        parts: dict[str, list[bytes]] = {group: [head] for group in self._groups}
        for key in sorted(frame.messages):
            if (group := GROUP_OF[key[0]]) in parts:
                parts[group].append(sha256(canonical(frame.messages[key])).digest())
        for group, part in parts.items():
            self._chains[group] = sha256(self._chains[group] + b"".join(part)).digest()
        self._whole = sha256(self._whole + head + b"".join(self._chains.values())).digest()
        link = Link(frame.number, self._whole.hex(), {group: chain.hex() for group, chain in self._chains.items()})
        self.links.append(link)
        return link


class RunDigest:
    """The digest of a run whose messages come one by one.

    Args:
        run_id: of the run
        groups: those that count
    """

    def __init__(self, run_id: str, groups: Collection[str] = GROUPS) -> None:
        self._frames = FrameCollector(run_id, groups)
        self._chains = Chains(run_id, groups)

    @property
    def links(self) -> list[Link]:
        """One for each frame that is closed."""
        return self._chains.links

    @property
    def late(self) -> int:
        """Messages that came more than a hundred frames late, and do not count."""
        return self._frames.late

    def add(self, message: Message) -> None:
        """Add a message.

        Raises:
            ValueError: it is malformed.
        """
        for frame in self._frames.add(message):
            self._chains.add(frame)

    def finish(self) -> Link | None:
        """Close the frames that are open, and return the last link; None for a run without a frame."""
        for frame in self._frames.finish():
            self._chains.add(frame)
        return self.links[-1] if self.links else None
