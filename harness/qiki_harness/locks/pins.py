"""The pins of a hashed requirements file."""

import re
from dataclasses import dataclass

_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.*?))?\s*(?= --hash=|$)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]+)")


@dataclass(frozen=True)
class Pin:
    """One distribution of a lock.

    Attributes:
        name: normalized
        marker: where it is installed; empty is everywhere
        hashes: sha256, hexadecimal, of each file that it may come from
    """

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def read_pins(text: str) -> list[Pin]:
    """Return the pins of a lock, in its order."""
    lines = text.replace("\\\n", " ").splitlines()
    return [_pin(found, line) for line in lines if (found := _ENTRY.match(line))]


def canonical(name: str) -> str:
    """Return a distribution's normalized name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pin(entry: re.Match[str], line: str) -> Pin:
    return Pin(canonical(entry["name"]), entry["version"], entry["marker"] or "", frozenset(_HASH.findall(line)))
