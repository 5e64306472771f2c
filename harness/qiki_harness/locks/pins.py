"""The pins of a hashed requirements file."""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Pin:
    """One distribution of a lock.

    Attributes:
        name: normalized
        marker: where it is installed; None is everywhere
        hashes: sha256, hexadecimal, of each file that it may come from
    """

    name: str
    version: str
    marker: Marker | None
    hashes: frozenset[str]

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether it is installed where the markers have these values."""
        return self.marker is None or self.marker.evaluate(dict(environment))


def read_pins(text: str) -> list[Pin]:
    """The pins of a lock, in its order."""
    lines = text.replace("\\\n", " ").splitlines()
    return [_pin(line) for line in lines if line and not line.startswith((" ", "#", "--"))]


def _pin(line: str) -> Pin:
    words, *hashes = line.split(" --hash=sha256:")
    requirement = Requirement(words)
    (exactly,) = requirement.specifier
    name = canonicalize_name(requirement.name)
    return Pin(name, exactly.version, requirement.marker, frozenset(text.strip() for text in hashes))
