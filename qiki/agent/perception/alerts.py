"""What the guard has said of one run, and which of it holds at a frame.

Alerts and their ends are two subjects, and may be read long after the frames: so what counts is the order of frames,
not of arrival.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from qiki.agent.perception.evidence import Received
from qiki.contracts.models import GuardAlert

KEPT_KEYS = 4096
KEPT_WORDS = 16
"""Of one rule and track; more would have to come within the frames that are not whole yet."""

Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Word:
    """A rule was met (`alert`), or is no longer met (None), from a frame on."""

    frame: int
    alert: GuardAlert | None
    received: Received

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of words."""
        return self.frame, self.received.sequence or 0


class GuardBook:
    """The guard's words of one run, by rule and track."""

    def __init__(self) -> None:
        self._words: dict[Key, list[Word]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._words.values()))

    def add(self, key: Key, word: Word) -> None:
        """Take a word; one that was read before changes nothing."""
        words = self._words.setdefault(key, [])
        if all(known.place != word.place for known in words):
            words.append(word)
            words.sort(key=lambda one: one.place)
            del words[:-KEPT_WORDS]
        if len(self._words) > KEPT_KEYS:
            del self._words[self._least_needed()]

    def holding(self, frame: int, tracks: Collection[UUID]) -> Iterator[Word]:
        """The alerts that hold at a frame with these tracks."""
        for (_, track), words in self._words.items():
            word = _last(words, frame)
            if word is not None and word.alert is not None and track in tracks:
                yield word

    def settle(self, frame: int, tracks: Collection[UUID]) -> None:
        """Forget what can matter at no frame after this one: words that others replaced, and those of tracks gone."""
        kept = {key: _from(words, frame, key[1] in tracks) for key, words in self._words.items()}
        self._words = {key: words for key, words in kept.items() if words}

    def _least_needed(self) -> Key:
        ended = (key for key, words in self._words.items() if words[-1].alert is None)
        return next(ended, None) or next(iter(self._words))


def _last(words: list[Word], frame: int) -> Word | None:
    """The word that decides at a frame."""
    return next((word for word in reversed(words) if word.frame <= frame), None)


def _from(words: list[Word], frame: int, there: bool) -> list[Word]:
    """The word that decides at a frame, when its track is there, and those after it."""
    deciding = _last(words, frame) if there else None
    return [word for word in words if word is deciding or word.frame > frame]
