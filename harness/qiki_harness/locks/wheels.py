"""The wheel of each pin on each system that `locks/wheels.json` is for, on CPython 3.13."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from packaging.markers import Marker
from packaging.pylock import PackageWheel, Pylock
from packaging.tags import Tag, compatible_tags, cpython_tags, create_compatible_tags_selector, mac_platforms
from packaging.utils import parse_wheel_filename

from qiki_harness.errors import LockError
from qiki_harness.locks.pins import Pin

PYTHON = (3, 13)
VERSION = ".".join(map(str, PYTHON))
# From here on cryptography brings a variant, which installers prefer. RHEL 9 has this glibc, Debian 12 a newer one.
GLIBC = (2, 34)
# All wheels are for it; from here on numpy and scipy bring the variant on Apple's BLAS, which installers prefer.
MACOS = (14, 0)
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
Files = Mapping[str, Sequence[PackageWheel]]


@dataclass(frozen=True)
class System:
    """An operating system on a processor, with the tags of the wheels that it takes, best first."""

    name: str
    platform: str
    machine: str
    platforms: tuple[str, ...]

    @property
    def tags(self) -> Iterator[Tag]:
        """The tags in the order that installers prefer."""
        yield from cpython_tags(PYTHON, platforms=self.platforms)
        yield from compatible_tags(PYTHON, f"cp{PYTHON[0]}{PYTHON[1]}", self.platforms)

    def fulfils(self, marker: str) -> bool:
        """Return whether a pin with this marker is installed here."""
        environment = {
            "platform_machine": self.machine,
            "platform_system": self.name,
            "sys_platform": self.platform,
            "python_full_version": f"{VERSION}.0",
            "python_version": VERSION,
        }
        return not marker or Marker(marker).evaluate(environment)


def _linux(machine: str) -> System:
    """Return a system whose tags are those of PEP 600, from our glibc downwards."""
    major, newest = GLIBC
    tags: list[str] = []
    for minor in range(newest, 4, -1):
        tags += [f"manylinux_{major}_{minor}_{machine}", *([f"{LEGACY[minor]}_{machine}"] if minor in LEGACY else [])]
    return System("Linux", "linux", machine, (*tags, f"linux_{machine}"))


SYSTEMS = {
    "x86_64-linux": _linux("x86_64"),
    "aarch64-linux": _linux("aarch64"),
    "aarch64-darwin": System("Darwin", "darwin", "arm64", tuple(mac_platforms(MACOS, "arm64"))),
}


@dataclass(frozen=True)
class Wheel:
    """A file of the index, its sha256 in hexadecimal, and the names of the locks that pin it on its system."""

    name: str
    version: str
    file: str
    sha256: str
    locks: tuple[str, ...]


def choose_wheels(locks: Mapping[str, Iterable[Pin]], listed: Pylock) -> dict[str, list[Wheel]]:
    """Choose the wheel of every pin among those that the index has, by the order of tags that pip keeps."""
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
        latest_first = sorted(
            files.get(pin.name, ()), key=lambda file: parse_wheel_filename(file.filename)[2], reverse=True
        )
        best = next(best_first((file, parse_wheel_filename(file.filename)[-1]) for file in latest_first), None)
        if best is None:
            raise LockError(f"{pin.name} {pin.version} has no wheel for {name}: it must be replaced")
        if (sha256 := best.hashes["sha256"]) not in pin.hashes:
            raise LockError(f"the index has another {best.filename} than the locks pin: sha256 {sha256}")
        yield Wheel(pin.name, pin.version, best.filename, sha256, tuple(where[pin.name]))


def wheels_text(wheels: Mapping[str, Iterable[Wheel]]) -> str:
    """Return the wheels as JSON, a line a wheel."""
    lines = {name: ",\n".join(f"    {json.dumps(asdict(wheel))}" for wheel in each) for name, each in wheels.items()}
    systems = [f'  "{name}": [\n{each}\n  ]' for name, each in lines.items()]
    return f'{{"python": "{VERSION}", "wheels": {{\n' + ",\n".join(systems) + "\n}}\n"
