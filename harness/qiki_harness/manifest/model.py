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
    """A file that is not as its distribution's RECORD says.

    Attributes:
        sha256: hexadecimal, of the file as it is; or `missing`
        native: machine code, whose library paths a build may rewrite (Nix does)
    """

    sha256: str
    native: bool = False

    def __str__(self) -> str:
        return "missing" if self.sha256 == MISSING else "changed"


class Distribution(_Frozen):
    """An installed distribution.

    Attributes:
        record: sha256, hexadecimal, over the paths and hashes of its RECORD, without what installers write themselves
        files: how many files that are
        altered: path to state of each file that is not as RECORD says
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
        unrecorded: files among the installed ones that no RECORD has; path to sha256, hexadecimal
        tools: by command
        sources: our own packages (installed as a link, or from a wheel): name to sha256, hexadecimal, over their files;
            `generated` are the stubs
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
    """Read a manifest from JSON; `name` stands for the text in errors.

    Raises:
        HarnessError: it is no manifest; has the first fault.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise HarnessError(f"{name} is no manifest (qiki manifest --json makes one): {first_fault(error)}") from None
