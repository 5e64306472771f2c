"""Summaries of radar traffic: the messages that a stream stored within one second of wall time are one record."""

from dataclasses import dataclass, replace
from datetime import datetime

GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Counted:
    """A stored message."""

    sequence: int  # in the stream
    stored_at: datetime  # wall time of the broker
    amount: int | None  # number of detections or tracks; None if it cannot be read


@dataclass(frozen=True, slots=True)
class Second:
    """The messages of one second."""

    second_epoch: int
    first_sequence: int
    last_sequence: int
    frames: int = 0
    unreadable: int = 0
    amount: int = 0

    def plus(self, one: Counted) -> "Second":
        """Return the second with one more message."""
        readable = one.amount is not None
        return replace(
            self,
            last_sequence=one.sequence,
            frames=self.frames + readable,
            unreadable=self.unreadable + (not readable),
            amount=self.amount + (one.amount or 0),
        )


class Seconds:
    """Groups messages in the stream's order by their second. No message is in two groups."""

    def __init__(self) -> None:
        self._current: Second | None = None

    def take(self, one: Counted) -> Second | None:
        """Count a message, and return the group before it if it ended."""
        second_epoch = int(one.stored_at.timestamp())
        current = self._current
        if current and current.second_epoch == second_epoch:
            self._current = current.plus(one)
            return None
        self._current = Second(second_epoch, one.sequence, one.sequence).plus(one)
        return current

    def over(self, moment: datetime) -> Second | None:
        """Return the current group if its second ended `GRACE_S` ago, so that it is complete."""
        current = self._current
        if current is None or moment.timestamp() < current.second_epoch + 1 + GRACE_S:
            return None
        self._current = None
        return current
