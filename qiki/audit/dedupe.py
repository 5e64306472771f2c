"""Duplicates: an index of the events that are registered."""

from collections.abc import Iterable
from hashlib import blake2b

from qiki.audit.record import Draft

CAPACITY = 200_000
"""Events in the index. An event is redelivered while it is not acknowledged (at most 512 events), or published again
after the broker's duplicate window: minutes later, not months. The broker keeps events for a week."""


class SeenEvents:
    """The newest events by source and id, which identify an event (CloudEvents); the oldest are dropped."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._keys: dict[bytes, None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, source: str, event_id: str) -> bool:
        """Add an event; return False for a duplicate."""
        key = _key(source, event_id)
        if key in self._keys:
            return False
        if len(self._keys) >= self.capacity:
            del self._keys[next(iter(self._keys))]
        self._keys[key] = None
        return True

    def unseen(self, drafts: Iterable[Draft]) -> list[Draft]:
        """Return the drafts that are not registered, without duplicates."""
        fresh: dict[bytes, Draft] = {}
        for draft in drafts:
            key = _key(draft.source, draft.event_id)
            if key not in self._keys:
                fresh.setdefault(key, draft)
        return list(fresh.values())


def _key(source: str, event_id: str) -> bytes:
    return blake2b(f"{source}\n{event_id}".encode(), digest_size=16).digest()
