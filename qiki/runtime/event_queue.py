"""Events that wait for NATS: in their order, within bounds of number and bytes."""

from collections import deque

from qiki.contracts.headers import Message

KEPT = 1000
KEPT_BYTES = 8 << 20
ENTRY_BYTES = 1024  # approximate size of an event beside its body
SEVERE = frozenset({"ERROR", "CRITICAL"})


class EventQueue:
    """Two lanes with the same bounds: severe events, and the others. A full lane drops its own oldest event.

    So no number of ordinary events drops a severe one. Both come out in the order in which they went in.
    """

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._lanes = {severe: _Lane(kept, kept_bytes) for severe in (True, False)}
        self._count = 0

    def __len__(self) -> int:
        return sum(len(lane.events) for lane in self._lanes.values())

    def add(self, event: Message, severity: str) -> int:
        """Take an event, and return the number of events that its lane dropped for it."""
        self._count += 1
        return self._lanes[severity in SEVERE].add(self._count, event)

    def first(self) -> tuple[int, Message] | None:
        """Return the oldest event and its number; None where nothing waits."""
        return min((lane.events[0] for lane in self._lanes.values() if lane.events), default=None)

    def remove(self, number: int) -> None:
        """Remove the event of a number, if it is still the first of its lane."""
        for lane in self._lanes.values():
            if lane.events and lane.events[0][0] == number:
                lane.drop()


class _Lane:
    def __init__(self, kept: int, kept_bytes: int) -> None:
        self._kept, self._kept_bytes = kept, kept_bytes
        self.events: deque[tuple[int, Message]] = deque()
        self._bytes = 0

    def add(self, number: int, event: Message) -> int:
        self.events.append((number, event))
        self._bytes += _size(event)
        dropped = 0
        while len(self.events) > self._kept or self._bytes > self._kept_bytes:
            self.drop()
            dropped += 1
        return dropped

    def drop(self) -> None:
        self._bytes -= _size(self.events.popleft()[1])


def _size(event: Message) -> int:
    return len(event.body) + ENTRY_BYTES
