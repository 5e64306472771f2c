"""The differences between two manifests, as sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from qiki_harness.manifest.model import Altered, Distribution, Manifest

_Value = TypeVar("_Value")
_NAMED = 5


@dataclass(frozen=True)
class Difference:
    """One sentence. An allowed difference does not make the environments different."""

    text: str
    allowed: bool = False

    def __str__(self) -> str:
        return f"{self.text} (allowed)" if self.allowed else self.text


@dataclass(frozen=True)
class Comparison:
    """Two manifests to compare: all, or what a lock pins; `relinked` allows library paths as Nix sets them."""

    a: Manifest
    b: Manifest
    names: tuple[str, str] = ("A", "B")
    lock: str | None = None
    relinked: bool = False

    def differences(self) -> list[Difference]:
        """Return all differences; the allowed ones come last."""
        found = [*self._sources(), *self._python(), *self._distributions(), *self._tools(), *self._unrecorded()]
        found += [*self._platform(), *self._beside()]
        return sorted(found, key=lambda difference: difference.allowed)

    def _sides(self) -> tuple[tuple[str, Manifest, Manifest], ...]:
        return (self.names[0], self.a, self.b), (self.names[1], self.b, self.a)

    def _python(self) -> Iterator[Difference]:
        a, b = self.a.python, self.b.python
        if a.implementation != b.implementation:
            yield Difference(self._said("Python's implementation", a.implementation, b.implementation))
        if a.version.split(".")[:2] != b.version.split(".")[:2]:
            yield Difference(self._said("Python", a.version, b.version))
        elif a.version != b.version:
            yield Difference(self._said("Python's patch level", a.version, b.version), allowed=True)

    def _platform(self) -> Iterator[Difference]:
        a, b = self.a.platform, self.b.platform
        if (a.system, a.machine) != (b.system, b.machine):
            yield Difference(self._said("the platform", f"{a.system} {a.machine}", f"{b.system} {b.machine}"))
        if a.libc != b.libc:
            # It belongs to the system, like the kernel.
            yield Difference(self._said("the C library", a.libc or "unknown", b.libc or "unknown"), allowed=True)

    def _distributions(self) -> Iterator[Difference]:
        for name, a, b in _pairs(self.a.distributions, self.b.distributions):
            if a and b:
                yield from self._distribution(name, a, b)
            elif self._counts(name):
                yield Difference(self._only(name, a, b))

    def _distribution(self, name: str, a: Distribution, b: Distribution) -> Iterator[Difference]:
        allowed = not self._counts(name)
        if a.version != b.version:
            yield Difference(self._said(name, a.version, b.version), allowed)
        elif a.record != b.record:
            yield Difference(f"{name} {a.version}: not from the same wheel, their RECORDs differ", allowed)
        elif not a.files:
            yield Difference(f"{name} {a.version}: has no RECORD, so nothing shows that it is the same", allowed)
        for where, here, there in ((self.names[0], a, b), (self.names[1], b, a)):
            yield from self._altered(name, where, _new(here.altered, there.altered), allowed=allowed)

    def _beside(self) -> Iterator[Difference]:
        """Yield what only one has and the comparison ignores."""
        for where, here, there in self._sides():
            names = sorted(here.distributions.keys() - there.distributions.keys())
            if others := [name for name in names if not self._counts(name)]:
                yield Difference(f"beside what {self.lock}.txt pins, only in {where}: {_listed(others)}", allowed=True)

    def _altered(self, name: str, where: str, files: Mapping[str, Altered], *, allowed: bool) -> Iterator[Difference]:
        relinked = {path for path, state in files.items() if self.relinked and state.native}
        others = [f"{path} is {state}" for path, state in sorted(files.items()) if path not in relinked]
        if relinked:
            yield Difference(f"{name}: relinked in {where}: {_listed(sorted(relinked))}", allowed=True)
        if others:
            yield Difference(f"{name}: not as its RECORD says in {where}: {_listed(others)}", allowed)

    def _unrecorded(self) -> Iterator[Difference]:
        for name, here, there in self._sides():
            if not here.verified:
                yield Difference(f"the files of {name} were not compared with their RECORDs", allowed=True)
            elif files := _new(here.unrecorded, there.unrecorded):
                yield Difference(f"files that no distribution brought in {name}: {_listed(sorted(files))}")

    def _tools(self) -> Iterator[Difference]:
        for name, a, b in _pairs(self.a.tools, self.b.tools):
            if not all(self._counts(tool.distribution) for tool in (a, b) if tool):
                continue
            if a is None or b is None:
                yield Difference(self._only(f"the program {name}", a, b))
            elif a.version != b.version:
                yield Difference(self._said(f"the program {name}", a.version, b.version))

    def _sources(self) -> Iterator[Difference]:
        if self.a.version != self.b.version:
            yield Difference(self._said("qiki-dtmp", self.a.version, self.b.version))
        for name, a, b in _pairs(self.a.sources, self.b.sources):
            if a is None or b is None:
                yield Difference(self._only(f"our package {name}", a, b))
            elif a != b:
                yield Difference(f"our package {name}: its files differ")

    def _counts(self, distribution: str) -> bool:
        """Return whether the comparison includes it: one manifest that lists it under the lock is enough."""
        known = (each.distributions.get(distribution) for each in (self.a, self.b))
        return self.lock is None or any(self.lock in each.locks for each in known if each)

    def _said(self, what: str, a: object, b: object) -> str:
        return f"{what}: {a} in {self.names[0]}, {b} in {self.names[1]}"

    def _only(self, what: str, a: object | None, b: object | None) -> str:
        version = next((f" {each.version}" for each in (a, b) if isinstance(each, Distribution)), "")
        return f"{what}{version}: only in {self.names[0] if b is None else self.names[1]}"


def _pairs(a: Mapping[str, _Value], b: Mapping[str, _Value]) -> Iterator[tuple[str, _Value | None, _Value | None]]:
    for name in sorted(a.keys() | b.keys()):
        yield name, a.get(name), b.get(name)


def _new(here: Mapping[str, _Value], there: Mapping[str, _Value]) -> dict[str, _Value]:
    return {path: state for path, state in here.items() if there.get(path) != state}


def _listed(texts: list[str]) -> str:
    more = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {more} more" if more > 0 else "")
