"""Which wheel of each pin a system takes: `locks/wheels.json`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from packaging.pylock import Package, Pylock
from packaging.utils import parse_wheel_filename

from qiki_harness.errors import LockError
from qiki_harness.locks.pins import Pin
from qiki_harness.locks.systems import PYTHON, SYSTEMS, System


@dataclass(frozen=True)
class Wheel:
    """A file of the index.

    Attributes:
        sha256: hexadecimal
        locks: names of the locks that pin it on its system
    """

    name: str
    version: str
    file: str
    sha256: str
    locks: tuple[str, ...]


def choose_wheels(locks: Mapping[str, Iterable[Pin]], listed: Pylock) -> dict[str, list[Wheel]]:
    """The wheel of every pin for every system, by the order of tags that pip keeps.

    Args:
        locks: the pins of each lock
        listed: the files that the index has of them

    Raises:
        LockError: a pin has no wheel for a system, or the index's file is not the one that the lock pins.
    """
    packages: dict[str, Package] = {package.name: package for package in listed.packages}
    return {name: _for_system(name, system, locks, packages) for name, system in SYSTEMS.items()}


def _for_system(
    name: str, system: System, locks: Mapping[str, Iterable[Pin]], packages: Mapping[str, Package]
) -> list[Wheel]:
    where: dict[str, list[str]] = {}
    wanted: dict[str, Pin] = {}
    for lock, pins in sorted(locks.items()):
        for pin in (pin for pin in pins if system.fulfils(pin.marker)):
            where.setdefault(pin.name, []).append(lock)
            wanted[pin.name] = pin
    return [_choose(name, system, wanted[each], packages, tuple(where[each])) for each in sorted(wanted)]


def _choose(name: str, system: System, pin: Pin, packages: Mapping[str, Package], locks: tuple[str, ...]) -> Wheel:
    files = packages[pin.name].wheels if pin.name in packages else None
    ranked = [(place, file) for file in files or () if (place := _place(file.filename, system))]
    if not ranked:
        raise LockError(f"{pin.name} {pin.version} has no wheel for {name}: it must be replaced")
    best = min(ranked, key=lambda entry: entry[0])[1]
    sha256 = best.hashes["sha256"]
    if sha256 not in pin.hashes:
        raise LockError(f"the index has another {best.filename} than the locks pin: sha256 {sha256}")
    return Wheel(pin.name, pin.version, best.filename, sha256, locks)


def _place(file: str, system: System) -> tuple[int, int] | None:
    """Least is best: the tag's place, and of two builds the later one; None is a wheel for others."""
    *_, build, tags = parse_wheel_filename(file)
    best = system.best(tags)
    return None if best is None else (best, -(build[0] if build else 0))


def wheels_text(wheels: Mapping[str, Iterable[Wheel]]) -> str:
    """As JSON, a line a wheel."""
    python = ".".join(map(str, PYTHON))
    systems = [f'  "{name}": [\n{_lines(each)}\n  ]' for name, each in wheels.items()]
    return f'{{"python": "{python}", "wheels": {{\n' + ",\n".join(systems) + "\n}}\n"


def _lines(wheels: Iterable[Wheel]) -> str:
    return ",\n".join(f"    {json.dumps(asdict(wheel))}" for wheel in wheels)
