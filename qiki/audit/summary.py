"""Radar traffic by the second: what a stream stored within one second of wall time is one record."""

from dataclasses import dataclass, replace
from datetime import datetime

GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Counted:
    """A stored message.

    Attributes:
        sequence: its place in the stream
        stored_at: when the broker stored it
        amount: detections or tracks in it; None where it cannot be read
    """

    sequence: int
    stored_at: datetime
    amount: int | None


@dataclass(frozen=True, slots=True)
class Second:
    """What came within one."""

    second_epoch: int
    first_sequence: int
    last_sequence: int
    frames: int = 0
    unreadable: int = 0
    amount: int = 0

    def plus(self, one: Counted) -> "Second":
        """With one more message."""
        readable = one.amount is not None
        return replace(
            self,
            last_sequence=one.sequence,
            frames=self.frames + readable,
            unreadable=self.unreadable + (not readable),
            amount=self.amount + (one.amount or 0),
        )


class Seconds:
    """Groups messages that come in the stream's order. No message is in two groups."""

    def __init__(self) -> None:
        self._current: Second | None = None

    def take(self, one: Counted) -> Second | None:
        """Count a message; the group before it, if that ends here."""
        second_epoch = int(one.stored_at.timestamp())
        current = self._current
        if current and current.second_epoch == second_epoch:
            self._current = current.plus(one)
            return None
        self._current = Second(second_epoch, one.sequence, one.sequence).plus(one)
        return current

    def over(self, moment: datetime) -> Second | None:
        """The current group, if its second has been over for so long that nothing more belongs to it."""
        current = self._current
        if current is None or moment.timestamp() < current.second_epoch + 1 + GRACE_S:
            return None
        self._current = None
        return current
