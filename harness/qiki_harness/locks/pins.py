"""The pins of a hashed requirements file, and the changes of a renewal as sentences."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.*?))?\s*(?= --hash=|$)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]+)")


@dataclass(frozen=True)
class Pin:
    """A distribution of a lock: its normalized name, its marker (empty: installed everywhere), its files' sha256."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def read_locks(folder: Path) -> dict[str, list[Pin]]:
    """Return the pins of each lock of a folder."""
    return {path.stem: read_pins(path.read_text()) for path in sorted(folder.glob("*.txt"))}


def read_pins(text: str) -> list[Pin]:
    """Return the pins of a lock, in its order."""
    lines = text.replace("\\\n", " ").splitlines()
    return [
        Pin(canonical(entry["name"]), entry["version"], entry["marker"] or "", frozenset(_HASH.findall(line)))
        for line in lines
        if (entry := _ENTRY.match(line))
    ]


def canonical(name: str) -> str:
    """Return a distribution's normalized name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def changes(before: Mapping[str, Iterable[Pin]], after: Mapping[str, Iterable[Pin]]) -> Iterator[str]:
    """Yield a line for each change, sorted by distribution, with its locks in brackets."""
    found: dict[tuple[str, str], list[str]] = {}
    for lock in sorted(before.keys() | after.keys()):
        old, new = ({pin.name: pin for pin in side.get(lock, ())} for side in (before, after))
        for name in old.keys() | new.keys():
            if (what := _change(old.get(name), new.get(name))) is not None:
                found.setdefault((name, what), []).append(lock)
    for (name, what), where in sorted(found.items()):
        yield f"{name} {what} ({', '.join(where)})"


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
