"""The things that can be asked about, by their ids and by the beginnings of these."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qiki.contracts.headers import MESSAGE_ID
from qiki_harness.errors import RecordingError
from qiki_harness.recording.layout import Recorded
from qiki_harness.recording.why.archive import Archive
from qiki_harness.recording.why.links import ALERT, DECISION, MODE, RESUMED, Links

EVENT, DECIDED, ALERTED, TRACK, COMMAND, CHANGED = "event", "decision", "alert", "track", "command", "mode"
KINDS = (COMMAND, DECIDED, CHANGED, ALERTED, TRACK, EVENT)
_OF_SUBJECT = {DECISION: DECIDED, ALERT: ALERTED, RESUMED: ALERTED, MODE: CHANGED}
_SHOWN = 5
_LEAST = 8  # letters
_LAST = "\U0010ffff"  # sorts behind every other letter


@dataclass(frozen=True)
class Target:
    """A thing of a kind, with its ids, the one for people first; a track has no message of its own."""

    kind: str
    ids: tuple[str, ...]
    message: Recorded | None = None
    took_effect: bool = True  # False for a command that has no order: it was refused, or not sent

    def begins_with(self, text: str) -> bool:
        """Return whether one of the ids begins so, in letters of either case."""
        return any(map(_begins(text), self.ids))


class Targets:
    """All that can be asked about in a run.

    Attributes:
        archive: of the run
        all: of every kind
    """

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.all = tuple(_targets(archive))
        self._ids = sorted(one.lower() for target in self.all for one in target.ids)

    def find(self, text: str, kind: str | None = None) -> Target:
        """Return the one thing whose id is a text, or begins with it.

        Args:
            kind: of the thing; None, or "event" for an event of any kind

        Raises:
            RecordingError: there is none, or several.
        """
        wanted = text.strip().removeprefix(f"{self.archive.run_id}:")
        begun = [one for one in self.all if wanted and one.begins_with(wanted)]
        of_kind = [one for one in begun if _is_of(one, kind)]
        found = [one for one in of_kind if wanted in one.ids] or of_kind
        if len(found) == 1:
            return found[0]
        path = self.archive.recording.path
        if found:
            some = ", ".join(f"{one.kind} {one.ids[0]}" for one in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise RecordingError(f"{path}: {text!r} begins the ids of {len(found)}: {some}{more}")
        what = kind or "command, decision, mode, alert, track or event"
        others = " or ".join(sorted({one.kind for one in begun}))
        other = f", but {_article(others)} has" if others else f" (there are {self.counts})"
        raise RecordingError(f"{path}: no {what} has an id that begins with {text!r}{other}")

    @property
    def counts(self) -> str:
        """The number of each kind, in words."""
        counts = Counter(one.kind for one in self.all)
        return ", ".join(f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in KINDS)

    def short_id(self, target: Target) -> str:
        """Return the beginning of an id that is enough to name the thing."""
        name = target.ids[0]
        beginnings = (name[:size] for size in range(_LEAST, len(name)))
        return next((text for text in beginnings if self._begun(text) == sum(map(_begins(text), target.ids))), name)

    def _begun(self, text: str) -> int:
        """Return the number of ids that begin with a text."""
        return bisect_left(self._ids, f"{text.lower()}{_LAST}") - bisect_left(self._ids, text.lower())


def _is_of(target: Target, kind: str | None) -> bool:
    return kind is None or target.kind == kind or (kind == EVENT and target.kind in {DECIDED, ALERTED, CHANGED})


def _targets(archive: Archive) -> Iterator[Target]:
    links = Links(archive)
    for one in archive.events:
        yield Target(_OF_SUBJECT.get(one.message.subject, EVENT), (_id_of(archive, one),), one)
    for one in archive.orders:
        names = (links.order(one).message_id, _id_of(archive, one))
        yield Target(COMMAND, tuple(name for name in names if name), one)
    for command, decision in links.decisions.items():
        if command not in links.orders:
            yield Target(COMMAND, (command,), decision, took_effect=False)
    yield from (Target(TRACK, (track,)) for track in archive.tracks)


def _begins(text: str) -> Callable[[str], bool]:
    """Return a test whether an id begins with a text, in letters of either case."""
    return lambda one: one.lower().startswith(text.lower())


def _id_of(archive: Archive, one: Recorded) -> str:
    """Return the id of a message, without that of its run before it."""
    return one.message.headers.get(MESSAGE_ID, "").removeprefix(f"{archive.run_id}:")


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
