"""The changes of a renewal of the locks, as sentences."""

from collections.abc import Iterable, Iterator, Mapping

from qiki_harness.locks.pins import Pin

Locks = Mapping[str, Iterable[Pin]]


def changes(before: Locks, after: Locks) -> Iterator[str]:
    """Yield a line for each change, sorted by distribution, with its locks in brackets."""
    found: dict[tuple[str, str], list[str]] = {}
    for lock in sorted(before.keys() | after.keys()):
        old, new = _by_name(before.get(lock, ())), _by_name(after.get(lock, ()))
        for name in old.keys() | new.keys():
            if (what := _change(old.get(name), new.get(name))) is not None:
                found.setdefault((name, what), []).append(lock)
    for (name, what), where in sorted(found.items()):
        yield f"{name} {what} ({', '.join(where)})"


def _by_name(pins: Iterable[Pin]) -> dict[str, Pin]:
    return {pin.name: pin for pin in pins}


def _change(old: Pin | None, new: Pin | None) -> str | None:
    match old, new:
        case None, Pin():
            return f"{new.version} is new"
        case Pin(), None:
            return f"{old.version} is gone"
        case Pin(), Pin() if old.version != new.version:
            return f"{old.version} -> {new.version}"
        case Pin(), Pin() if old.marker != new.marker:
            return f"{new.version}: where it is installed: {old.marker or 'everywhere'} -> {new.marker or 'everywhere'}"
        case Pin(), Pin() if old.hashes != new.hashes:
            added, gone = len(new.hashes - old.hashes), len(old.hashes - new.hashes)
            return f"{new.version}: {added} files are new, {gone} are gone"
    return None
