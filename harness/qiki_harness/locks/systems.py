"""The systems that `locks/wheels.json` is for, on CPython 3.13."""

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

PYTHON = (3, 13)
VERSION = ".".join(map(str, PYTHON))
# A newer glibc changes no choice so far, and an older one lacks wheels: RHEL 8 and Debian 10 have this.
GLIBC = (2, 28)
# All wheels are for it; from here on numpy and scipy bring the variant on Apple's BLAS, which installers prefer.
MACOS = (14, 0)
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True)
class System:
    """An operating system on a processor.

    Attributes:
        platforms: tags of the wheels it takes, best first
    """

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
        """Whether a pin with this marker is installed here."""
        environment = {
            "platform_machine": self.machine,
            "platform_system": self.name,
            "sys_platform": self.platform,
            "python_full_version": f"{VERSION}.0",
            "python_version": VERSION,
        }
        return not marker or Marker(marker).evaluate(environment)


def _linux(machine: str) -> System:
    return System("Linux", "linux", machine, (*_manylinux(machine), f"linux_{machine}"))


def _manylinux(machine: str) -> Iterator[str]:
    """As in PEP 600, from our glibc downwards."""
    major, newest = GLIBC
    for minor in range(newest, 4, -1):
        yield f"manylinux_{major}_{minor}_{machine}"
        if minor in LEGACY:
            yield f"{LEGACY[minor]}_{machine}"


SYSTEMS = {
    "x86_64-linux": _linux("x86_64"),
    "aarch64-linux": _linux("aarch64"),
    "aarch64-darwin": System("Darwin", "darwin", "arm64", tuple(mac_platforms(MACOS, "arm64"))),
}
