"""Evidence that events name, and the recorded messages that it means."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, Evidence
from qiki.flight.digest import run_of
from qiki_harness.recording.layout import FLIGHT, Recorded
from qiki_harness.recording.reader import Recording

SEEN_IN_FLIGHT = (
    topics.TRACKS.subject,
    topics.ESTIMATES.subject,
    topics.GUARD.subject,
    GUARD_RESUMED.subject,
    GUARD_CLEARED.subject,
    topics.TRACKED.subject,
)
"""Subjects that the agent of a flight sees, in the order in which it numbers the messages of a frame."""
_SAME_MOMENT_S = 1e-3
_Groups = dict[tuple[str, int | None], list["Citation"]]


@dataclass(frozen=True)
class Citation:
    """A message that an event names as evidence, and the event's time: simulated Unix time."""

    evidence: Evidence
    t_s: float


def resolve(recording: Recording, run_id: str, citations: Collection[Citation]) -> dict[Citation, Recorded]:
    """Return the messages that are cited, without those that are not in the recording.

    A stack's evidence has the place of a message in its stream; a flight's counts what its agent saw. A message
    that has no place, as telemetry, is the newest one before the event.
    """
    found: dict[Citation, Recorded] = {}
    if placed := [one for one in citations if one.evidence.sequence is not None]:
        flown = recording.about.source == FLIGHT
        found |= _counted(recording, placed) if flown else _placed(recording, placed)
    if unplaced := [one for one in citations if one.evidence.sequence is None]:
        found |= _newest(recording, run_id, unplaced)
    return found


def _placed(recording: Recording, citations: Collection[Citation]) -> dict[Citation, Recorded]:
    """Return the messages of a stack, by their places in streams."""
    wanted = _grouped(citations, lambda one: (one.evidence.subject, one.evidence.sequence))
    found: dict[Citation, Recorded] = {}
    for one in recording.messages({citation.evidence.subject for citation in citations}):
        found |= dict.fromkeys(wanted.get((one.message.subject, one.sequence), ()), one)
    return found


def _counted(recording: Recording, citations: Collection[Citation]) -> dict[Citation, Recorded]:
    """Return the messages of a flight: those of the moment, by their numbers where there are several."""
    wanted = _grouped(citations, lambda one: (one.evidence.subject, _moment(one.t_s - one.evidence.age_s)))
    found: dict[Citation, dict[int, Recorded]] = {}
    for number, one in _numbered(recording):
        for citation in wanted.get((one.message.subject, _moment(one.event_ns / 1e9)), ()):
            found.setdefault(citation, {})[number] = one
    chosen = {citation: _one_of(each, citation.evidence.sequence) for citation, each in found.items()}
    return {citation: one for citation, one in chosen.items() if one is not None}


def _numbered(recording: Recording) -> Iterator[tuple[int, Recorded]]:
    """Yield what the agent of a flight saw, with its numbers: the notice is the last message of each frame."""
    number, frame = 0, list[Recorded]()
    for one in recording.messages(SEEN_IN_FLIGHT):
        frame.append(one)
        if one.message.subject == topics.TRACKED.subject:
            frame.sort(key=lambda one: SEEN_IN_FLIGHT.index(one.message.subject))
            yield from enumerate(frame, number + 1)
            number += len(frame)
            frame.clear()


def _newest(recording: Recording, run_id: str, citations: Collection[Citation]) -> dict[Citation, Recorded]:
    """Return the newest message of each subject that is not later than the event."""
    found: dict[Citation, Recorded] = {}
    for one in recording.messages({citation.evidence.subject for citation in citations}):
        for citation in citations:
            same = citation.evidence.subject == one.message.subject and run_of(one.message) == run_id
            if same and one.event_ns / 1e9 <= citation.t_s + _SAME_MOMENT_S:
                found[citation] = one
    return found


def _grouped(citations: Collection[Citation], key: Callable[[Citation], tuple[str, int | None]]) -> _Groups:
    groups: _Groups = {}
    for one in citations:
        groups.setdefault(key(one), []).append(one)
    return groups


def _moment(t_s: float) -> int:
    """Return a time in milliseconds."""
    return round(t_s * 1000)


def _one_of(numbered: Mapping[int, Recorded], number: int | None) -> Recorded | None:
    """Return the only message, or that of a number."""
    return next(iter(numbered.values())) if len(numbered) == 1 else numbered.get(number or 0)
