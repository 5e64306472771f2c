"""An element of a chain of reasons, as lines and as JSON values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SHOWN = 3
"""Elements of a long row that are shown at each of its ends."""


@dataclass(frozen=True)
class Element:
    """A message, or a part of one, with what it rests on and what followed from it.

    Attributes:
        kind: command, decision, proposal, mode, alert, track, frame, plot, …
        text: for people
        subject, message_id: of the message; empty for a part of the message above
        sequence: of the message in its stream; None where it is not kept
        t_s: simulated time [s]
        age_s: how old it was when the element above used it; None where nothing did
        computed: it is not published, but follows from flying the run again
        body: of the message, as JSON values
    """

    kind: str
    text: str
    subject: str = ""
    message_id: str = ""
    sequence: int | None = None
    t_s: float | None = None
    age_s: float | None = None
    computed: bool = False
    body: Any = None
    causes: tuple["Element", ...] = ()
    effects: tuple["Element", ...] = ()

    def walk(self) -> Iterator["Element"]:
        """Yield this element, then all that it rests on and all that followed."""
        yield self
        for one in (*self.causes, *self.effects):
            yield from one.walk()

    def values(self) -> dict[str, Any]:
        """Return all fields as JSON values."""
        return vars(self) | {name: [one.values() for one in getattr(self, name)] for name in ("causes", "effects")}

    def lines(self) -> Iterator[str]:
        """Yield a line for each element: under it, indented, what it rests on, and behind `->` what followed."""
        return _lines(self, "", "", set())


def _lines(element: Element, indent: str, mark: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    key = element.subject, element.message_id
    again = bool(element.subject) and key in seen and bool(element.causes)
    seen.add(key)
    yield f"{indent}{mark}{element.kind} {element.text}{_place(element)}{' (as above)' if again else ''}"
    if again:
        return
    for row, row_mark in ((element.causes, ""), (element.effects, "-> ")):
        left_out = len(row) - 2 * _SHOWN
        for place, one in enumerate(row):
            if left_out <= 1 or place < _SHOWN or place >= len(row) - _SHOWN:
                yield from _lines(one, f"{indent}  ", row_mark, seen)
            elif place == _SHOWN:
                yield f"{indent}  … {left_out} more (--json has them)"


def _place(element: Element) -> str:
    """Return subject, sequence, time and age of an element, as far as it has them."""
    sequence = "" if element.sequence is None else f" #{element.sequence}"
    parts = [f"{element.subject}{sequence}"] if element.subject else []
    parts += [] if element.t_s is None else [f"{element.t_s:.2f} s"]
    parts += [] if element.age_s is None else [f"age {element.age_s:.2f} s"]
    parts += ["computed"] if element.computed else []
    return f"  [{', '.join(parts)}]" if parts else ""
