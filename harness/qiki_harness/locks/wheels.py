"""Which wheel of each pin a system takes: `locks/wheels.json`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from packaging.pylock import PackageWheel, Pylock
from packaging.tags import create_compatible_tags_selector
from packaging.utils import BuildTag, parse_wheel_filename

from qiki_harness.errors import LockError
from qiki_harness.locks.pins import Pin
from qiki_harness.locks.systems import SYSTEMS, VERSION, System

Files = Mapping[str, Sequence[PackageWheel]]


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
    """Choose the wheel of every pin for every system, by the order of tags that pip keeps.

    Args:
        locks: the pins of each lock
        listed: the files that the index has of them

    Raises:
        LockError: a pin has no wheel for a system, or the index's file is not the one that the lock pins.
    """
    files = {str(package.name): package.wheels or () for package in listed.packages}
    return {name: list(_for_system(name, system, locks, files)) for name, system in SYSTEMS.items()}


def _for_system(name: str, system: System, locks: Mapping[str, Iterable[Pin]], files: Files) -> Iterator[Wheel]:
    where: dict[str, list[str]] = {}
    wanted: dict[str, Pin] = {}
    for lock, pins in sorted(locks.items()):
        for pin in (pin for pin in pins if system.fulfils(pin.marker)):
            where.setdefault(pin.name, []).append(lock)
            wanted[pin.name] = pin
    best_first = create_compatible_tags_selector(system.tags)
    for _, pin in sorted(wanted.items()):
        latest_first = sorted(files.get(pin.name, ()), key=_build, reverse=True)
        best = next(best_first((file, parse_wheel_filename(file.filename)[-1]) for file in latest_first), None)
        if best is None:
            raise LockError(f"{pin.name} {pin.version} has no wheel for {name}: it must be replaced")
        if (sha256 := best.hashes["sha256"]) not in pin.hashes:
            raise LockError(f"the index has another {best.filename} than the locks pin: sha256 {sha256}")
        yield Wheel(pin.name, pin.version, best.filename, sha256, tuple(where[pin.name]))


def _build(file: PackageWheel) -> BuildTag:
    return parse_wheel_filename(file.filename)[2]


def wheels_text(wheels: Mapping[str, Iterable[Wheel]]) -> str:
    """Return the wheels as JSON, a line a wheel."""
    systems = [f'  "{name}": [\n{_lines(each)}\n  ]' for name, each in wheels.items()]
    return f'{{"python": "{VERSION}", "wheels": {{\n' + ",\n".join(systems) + "\n}}\n"


def _lines(wheels: Iterable[Wheel]) -> str:
    return ",\n".join(f"    {json.dumps(asdict(wheel))}" for wheel in wheels)
