"""Identities of runs: fixed and repeatable where the first is given, random otherwise."""

from collections.abc import Iterator
from uuid import UUID, uuid4, uuid5


def run_ids(first: UUID | None) -> Iterator[UUID]:
    """The run ids of one process: `first`, then UUIDv5 of it and 1, 2, ...; without `first` all random."""
    if first is not None:
        yield first
    later = 0
    while True:
        later += 1
        yield uuid4() if first is None else uuid5(first, str(later))
