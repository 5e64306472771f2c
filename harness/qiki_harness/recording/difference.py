"""The first message in which two runs differ, and the field of it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from qiki.contracts import topics
from qiki.contracts.headers import ALERTS, ESTIMATES, Message
from qiki.contracts.radar import TrackedFrame
from qiki.contracts.topics import Topic
from qiki.flight.digest import DECISIONS, GROUP_OF, GUARD, FrameMessages, Key, canonical, canonical_body

ABSENT, THERE = "(absent)", "(there)"
_RADAR = tuple(topic.subject for topic in topics.FRAMES_BY_BAND.values())
_LONGEST = 120
_ORDER: tuple[Topic[Any], ...] = (
    topics.TRUTH,
    topics.FRAMES,
    topics.FRAMES_LR,
    topics.FRAMES_SR,
    topics.TRACKS,
    topics.ESTIMATES,
)
_RANK = {topic.subject: place for place, topic in enumerate(_ORDER)}
"""Earlier is nearer to the cause: the world moves, the radar measures, the tracker tracks."""


@dataclass(frozen=True)
class Difference:
    """The first difference of two runs, `one` and `other`.

    Attributes:
        key: subject and message id
        field: dotted name of a field of the body, or of a header; empty where only one run has the message
    """

    frame: int
    time: str
    key: Key
    field: str
    one: str
    other: str


def first_difference(
    one: FrameMessages, other: FrameMessages, *, partial: bool = False, recorded: bool = False, exact: bool = False
) -> Difference | None:
    """Return the first difference of a frame in two runs.

    Args:
        one: as it was recorded: truth that it lacks was missed, and is no difference
        partial: whatever is lacking was missed
        recorded: the other was recorded too
        exact: nothing was missed: all that only one of them has is a difference
    """
    gaps = (False, False) if exact else (partial or lacks(one), recorded and (partial or lacks(other)))
    for key in sorted(one.messages.keys() | other.messages.keys(), key=rank):
        mine, theirs = one.messages.get(key), other.messages.get(key)
        truth = not exact and key[0] == topics.TRUTH.subject
        if (mine is None and (truth or gaps[0])) or (theirs is None and ((truth and recorded) or gaps[1])):
            continue
        if mine is None or theirs is None or canonical(mine) != canonical(theirs):
            field, left, right = _field(mine, theirs)
            return Difference(one.number, one.time or other.time, key, field, left, right)
    return None


def has_frame(frame: FrameMessages) -> bool:
    """Return whether the radar's frame is there, beside truth for example."""
    return any(subject == topics.FRAMES.subject for subject, _ in frame.messages)


def lacks(frame: FrameMessages) -> bool:
    """Return whether a frame lacks messages, by what its notice tells; False where that cannot be read."""
    subjects = [subject for subject, _ in frame.messages]
    if not {*_RADAR, topics.TRACKED.subject} <= set(subjects):
        return True
    notice = next(one for (subject, _), one in frame.messages.items() if subject == topics.TRACKED.subject)
    try:
        told = (
            (subjects.count(topics.TRACKS.subject), TrackedFrame.from_json(notice.body).tracks),
            (subjects.count(topics.ESTIMATES.subject), int(notice.headers.get(ESTIMATES, "0"))),
            (sum(GROUP_OF[subject] == GUARD for subject in subjects), int(notice.headers.get(ALERTS, "0"))),
        )
    except ValueError:
        return False
    return any(count < announced for count, announced in told)


def rank(key: Key) -> tuple[int, Key]:
    """Return the place of a message among those of a frame: causes first."""
    last = GROUP_OF.get(key[0]) == DECISIONS
    return _RANK.get(key[0], len(_RANK) + last), key


def _field(one: Message | None, other: Message | None) -> tuple[str, str, str]:
    """Return the first field that differs, and its values."""
    if one is None or other is None:
        return "", THERE if one else ABSENT, THERE if other else ABSENT
    with contextlib.suppress(ValueError):
        parsed = [from_json(canonical_body(message.subject, message.body)) for message in (one, other)]
        for path, left, right in _differing(parsed[0], parsed[1], ""):
            return path, _shown(left), _shown(right)
    for name in sorted(one.headers.keys() | other.headers.keys()):
        values = one.headers.get(name, ABSENT), other.headers.get(name, ABSENT)
        if values[0] != values[1]:
            return f"header {name}", _shown(values[0]), _shown(values[1])
    return "body", _shown(one.body.decode(errors="replace")), _shown(other.body.decode(errors="replace"))


def _differing(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in [*one, *(name for name in other if name not in one)]:
            inner = f"{path}.{name}" if path else str(name)
            yield from _differing(one.get(name, ABSENT), other.get(name, ABSENT), inner)
    elif isinstance(one, list) and isinstance(other, list):
        for place in range(max(len(one), len(other))):
            left, right = (side[place] if place < len(side) else ABSENT for side in (one, other))
            yield from _differing(left, right, f"{path}[{place}]")
    elif one != other or type(one) is not type(other):
        yield path, one, other


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
