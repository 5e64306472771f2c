"""The data of a manifest."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from qiki.contracts.fields import first_fault
from qiki_harness.errors import HarnessError

MISSING = "missing"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Python(_Frozen):
    """The interpreter."""

    version: str
    implementation: str


class Platform(_Frozen):
    """The system; `libc` is the C library's name and version."""

    system: str
    machine: str
    libc: str


class Altered(_Frozen):
    """A file that is not as its distribution's RECORD says: its sha256 in hexadecimal, or `missing`.

    A build may rewrite the library paths of native code (Nix does).
    """

    sha256: str
    native: bool = False

    def __str__(self) -> str:
        return "missing" if self.sha256 == MISSING else "changed"


class Distribution(_Frozen):
    """An installed distribution.

    Attributes:
        record: sha256, hexadecimal, over paths and hashes of the files of its RECORD that installers do not write
        files: number of these files
        altered: by path
        locks: the locks that pin it, on this system or another
        pinned: the version that they pin, if it is another one
    """

    version: str
    record: str
    files: int
    altered: dict[str, Altered] = {}
    locks: tuple[str, ...] = ()
    pinned: str | None = None


class Tool(_Frozen):
    """A program, the distribution that brings it, and its version; None if it does not run."""

    version: str | None
    distribution: str


class Manifest(_Frozen):
    """The contents of an environment.

    Attributes:
        version: of qiki-dtmp
        verified: every file was compared with its RECORD
        distributions: by normalized name
        unrecorded: sha256 (hexadecimal) by path of the installed files that no RECORD has
        tools: by command
        sources: sha256 (hexadecimal) over the files of our own packages, by name; `generated` are the stubs
    """

    format: Literal[1] = 1
    version: str
    verified: bool
    python: Python
    platform: Platform
    distributions: dict[str, Distribution]
    unrecorded: dict[str, str] = {}
    tools: dict[str, Tool]
    sources: dict[str, str]


def read_manifest(text: str, name: str) -> Manifest:
    """Read a manifest from JSON; `name` stands for the text in the HarnessError that names the first fault."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise HarnessError(f"{name} is no manifest (qiki manifest --json makes one): {first_fault(error)}") from None
