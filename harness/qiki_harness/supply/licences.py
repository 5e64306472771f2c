"""The licences of what is shipped: locks/licences.json, held against what the locks pin.

A distribution's licence is what its metadata declares, as an SPDX expression; one that declares none, or in words that
are not known here, is written into the file by hand, and stays there until its version changes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from qiki_harness.errors import LockError
from qiki_harness.locks.pins import canonical, read_locks
from qiki_harness.supply.terms import TOOLS

FILE = Path("locks/licences.json")
RENEW = "python -m qiki_harness.supply licences"
SHIPPED = ("build", "runtime", "dev")
_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_BUILD_INFO = b"\xff Go buildinf:"
_MODULE = re.compile(r"^dep\t(\S+)\t(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Licensed:
    """A distribution, Go module or library with its licence, an SPDX expression."""

    version: str
    licence: str


@dataclass(frozen=True)
class Licences:
    """The file.

    Attributes:
        python: distributions by name
        go: the modules in a distribution's program, by its name and theirs
        linked: what the compiler links into the broker's launcher
        debian: packages that the Dockerfile installs, with their licences
    """

    python: dict[str, Licensed]
    go: dict[str, dict[str, Licensed]]
    linked: dict[str, Licensed]
    debian: dict[str, str] = field(default_factory=dict)


def read(root: Path) -> Licences:
    """Read the file of a checkout."""
    table: dict[str, Any] = json.loads((root / FILE).read_text(encoding="utf-8"))
    go = {program: _licensed(modules) for program, modules in table["go"].items()}
    return Licences(_licensed(table["python"]), go, _licensed(table["linked"]), table["debian"])


def _licensed(group: Mapping[str, Mapping[str, str]]) -> dict[str, Licensed]:
    return {name: Licensed(**one) for name, one in group.items()}


def text(licences: Licences) -> str:
    """Return the file's text: a line for each distribution, module, library and package."""
    go = ",\n".join(f' "{program}": {_lines(modules)}' for program, modules in licences.go.items())
    parts = {
        "python": _lines(licences.python),
        "go": f"{{\n{go}\n}}",
        "linked": _lines(licences.linked),
        "debian": json.dumps(licences.debian, indent=1),
    }
    return "{" + ",\n".join(f'"{name}": {part}' for name, part in parts.items()) + "}\n"


def _lines(group: Mapping[str, Licensed]) -> str:
    return "{\n" + ",\n".join(f' "{name}": {json.dumps(asdict(one))}' for name, one in group.items()) + "\n}"


def pinned(root: Path) -> dict[str, str]:
    """Return name and version of what is shipped, or takes part in what is."""
    locks = read_locks(root / "locks")
    return dict(sorted((pin.name, pin.version) for lock in SHIPPED for pin in locks[lock]))


def lacking(root: Path, licences: Licences) -> Iterator[str]:
    """Yield a line for each pin that the file does not have, or has in another version."""
    pins = pinned(root)
    for name, version in pins.items():
        if (known := licences.python.get(name)) is None or known.version != version:
            yield f"{FILE} lacks {name} {version}: {RENEW}"
    yield from (f"{FILE} has {name}, which no lock pins: {RENEW}" for name in licences.python if name not in pins)


def declared(about: metadata.PackageMetadata) -> str | None:
    """Return the licence that a distribution's metadata declares; None if it is in no words that are known."""
    for expression in about.get_all("License-Expression") or []:
        return str(expression)
    words = [str(one) for one in about.get_all("License") or []]
    named = [one for one in about.get_all("Classifier") or [] if one.startswith("License :: OSI Approved :: ")]
    if len(named) == 1:
        words.append(named[0].rpartition(" :: ")[2])
    return next((_WORDS.get(one, one) for one in words if one in {*_WORDS, *TOOLS}), None)


def go_modules(program: bytes) -> dict[str, str]:
    """Return path and version of the modules in a Go program, as the linker wrote them into it."""
    at = program.find(_BUILD_INFO) + 32  # the head; then two strings, each behind its length
    _, at = _string(program, at)
    words, _ = _string(program, at)
    return dict(_MODULE.findall(words[16:-16].decode()))  # the linker's marks


def _string(program: bytes, at: int) -> tuple[bytes, int]:
    length = shift = 0
    more = True
    while more:
        length |= (program[at] & 0x7F) << shift
        more, shift, at = program[at] > 0x7F, shift + 7, at + 1
    return program[at : at + length], at + length


def program_of(distribution: str, name: str) -> bytes:
    """Return the bytes of a program that a distribution brought."""
    files = metadata.files(distribution) or ()
    return next(Path(str(file.locate())).read_bytes() for file in files if file.name == name)


def renewed(root: Path, before: Licences) -> Licences:
    """Return the licences of what is pinned now, from the distributions that are installed.

    A LockError names what must be written by hand.
    """
    python = {
        name: Licensed(version, _installed(name, version) or _kept(before.python.get(name), version))
        for name, version in pinned(root).items()
    }
    # A module's licence is not in its program: it is kept, and looked at again when a module is new.
    go = {
        program: {
            module: Licensed(version, known[module].licence if module in known else "")
            for module, version in go_modules(program_of(program, program.removesuffix("-bin"))).items()
        }
        for program, known in before.go.items()
    }
    groups = [python, *go.values()]
    if unknown := [f"{name} {one.version}" for group in groups for name, one in group.items() if not one.licence]:
        raise LockError(f"{FILE}: write by hand, as SPDX expressions, the licences of {', '.join(unknown)}")
    return Licences(python, go, before.linked, before.debian)


def _kept(known: Licensed | None, version: str) -> str:
    return known.licence if known and known.version == version else ""


def _installed(name: str, version: str) -> str | None:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    return declared(found.metadata) if canonical(found.name) == name and found.version == version else None
