"""Compare what a process gave with a golden reference, frame by frame.

The last digits of what a filter computes differ from processor to processor, and where one is rounded, by one in the
last place. So numbers that are near each other count as the same.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isclose
from typing import Any

from pydantic_core import from_json, to_json

from qiki.contracts import topics
from qiki.contracts.headers import OWN_POSITION, OWN_VELOCITY, Message
from qiki.flight.digest import FrameMessages, frame_of
from qiki_harness.recording.difference import Difference, first_difference
from qiki_harness.recording.layout import event_ns

NEAR = 1e-6
"""Relative: 1 cm in 10 km. The kernels of OpenBLAS, from Prescott to SkylakeX, differ by 4e-8 at most."""
NEAR_ROUNDED = {topics.ESTIMATES.subject: 2e-5}
"""By subject: covariances are published with six digits."""
NOTHING = 1e-7
"""Numbers that differ by less are the same, however small they are."""
_TRIPLES = (OWN_POSITION, OWN_VELOCITY)


class Timeline:
    """The frames of a run, by their messages."""

    def __init__(self, frames: Sequence[Message]) -> None:
        self._times = [frame.headers["ce-time"] for frame in frames]
        self._times_ns = [event_ns(frame) or 0 for frame in frames]

    def number(self, message: Message) -> int:
        """Return the frame that a message belongs to: the one it names, else the newest one of its time.

        What is earlier than all frames belongs to the first one, and what is later to the last.
        """
        named = frame_of(message)
        if named is None:
            named = bisect_right(self._times_ns, event_ns(message) or 0) - 1
        return min(max(named, 0), len(self._times) - 1)

    def frames(self, messages: Iterable[Message]) -> dict[int, FrameMessages]:
        """Return messages by the number of their frame."""
        frames: dict[int, FrameMessages] = {}
        for message in messages:
            number = self.number(message)
            frames.setdefault(number, FrameMessages(number, self._times[number])).add(message)
        return frames


def first_of(timeline: Timeline, recorded: Iterable[Message], given: Iterable[Message]) -> Difference | None:
    """Return the first difference between what was recorded and what a process gave; None if they are the same."""
    one, other = timeline.frames(recorded), timeline.frames(given)
    for number in sorted(one.keys() | other.keys()):
        mine, theirs = (side.get(number, FrameMessages(number)) for side in (one, other))
        for key in mine.messages.keys() & theirs.messages.keys():
            theirs.messages[key] = _nearly(mine.messages[key], theirs.messages[key])
        if found := first_difference(mine, theirs, exact=True):
            return found
    return None


def sentence(who: str, reference: str, found: Difference) -> str:
    """Say where a process differs from a reference, in three lines."""
    return (
        f"{who} differs from {reference} from frame {found.frame} on, at {found.time}:\n"
        f"  {found.key[0]}  {found.key[1]}\n"
        f"  {found.field or 'the message'}: recorded {found.one}, now {found.other}"
    )


def _nearly(one: Message, other: Message) -> Message:
    """Return the other message with the numbers of the one where they are near; the one if nothing else differs."""
    near, body, headers = NEAR_ROUNDED.get(one.subject, NEAR), other.body, dict(other.headers)
    with contextlib.suppress(ValueError):
        parsed = from_json(one.body)
        nearly = _near(parsed, from_json(other.body), near)
        body = one.body if to_json(nearly) == to_json(parsed) else to_json(nearly)
    for name in _TRIPLES:
        if name in one.headers and name in headers:
            mine, theirs = ([float(word) for word in side.headers[name].split()] for side in (one, other))
            headers[name] = one.headers[name] if _near(mine, theirs, near) == mine else headers[name]
    return replace(other, body=body, headers=headers)


def _near(one: Any, other: Any, near: float) -> Any:
    """Return the other value, with the numbers of the one where they are near."""
    match one, other:
        case float(), float():
            return one if isclose(one, other, rel_tol=near, abs_tol=NOTHING) else other
        case Mapping(), Mapping():
            return {name: _near(one.get(name), inner, near) for name, inner in other.items()}
        case list(), list() if len(one) == len(other):
            return [_near(a, b, near) for a, b in zip(one, other, strict=True)]
    return other
