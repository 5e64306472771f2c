"""The systems that `locks/wheels.json` is for, on CPython 3.13."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

PYTHON = (3, 13)
# A newer glibc changes no choice so far, and an older one lacks wheels: RHEL 8 and Debian 10 have this.
GLIBC = (2, 28)
# All wheels are for it; from here on numpy and scipy bring the variant on Apple's BLAS, which installers prefer.
MACOS = (14, 0)
LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True)
class System:
    """An operating system on a processor.

    Attributes:
        markers: the values of the markers that depend on it
        platforms: tags of the wheels it takes, best first
    """

    markers: Mapping[str, str]
    platforms: tuple[str, ...]

    @cached_property
    def environment(self) -> dict[str, str]:
        """The values of all markers."""
        python = ".".join(map(str, PYTHON))
        return dict(self.markers) | {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
        }

    @cached_property
    def rank(self) -> dict[Tag, int]:
        """The place of each tag in the order that installers prefer: 0 is best."""
        interpreter = f"cp{PYTHON[0]}{PYTHON[1]}"
        tags = [*cpython_tags(PYTHON, platforms=self.platforms), *compatible_tags(PYTHON, interpreter, self.platforms)]
        return {tag: place for place, tag in enumerate(dict.fromkeys(tags))}

    def fulfils(self, marker: str) -> bool:
        """Whether what has this marker is installed on it."""
        return not marker or Marker(marker).evaluate(dict(self.environment))

    def best(self, tags: Iterable[Tag]) -> int | None:
        """The best place of any of a wheel's tags; None if the wheel is for others."""
        return min((self.rank[tag] for tag in tags if tag in self.rank), default=None)


def linux(machine: str) -> System:
    """Linux with glibc."""
    markers = {"platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux"}
    return System(markers, (*_manylinux(machine), f"linux_{machine}"))


def _manylinux(machine: str) -> Iterator[str]:
    """As in PEP 600, from our glibc downwards."""
    major, newest = GLIBC
    for minor in range(newest, 4, -1):
        yield f"manylinux_{major}_{minor}_{machine}"
        if minor in LEGACY:
            yield f"{LEGACY[minor]}_{machine}"


def macos() -> System:
    """A Mac on Apple silicon."""
    markers = {"platform_machine": "arm64", "platform_system": "Darwin", "sys_platform": "darwin"}
    return System(markers, tuple(mac_platforms(MACOS, "arm64")))


SYSTEMS = {"x86_64-linux": linux("x86_64"), "aarch64-linux": linux("aarch64"), "aarch64-darwin": macos()}
