"""A distribution's RECORD (PEP 376, and the wheel's specification), and the files that differ from it."""

import csv
import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from qiki_harness.manifest.model import MISSING, Altered

# What an installer writes about itself, beside what the wheel brings.
_INSTALLERS_OWN = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"}
# ELF; Mach-O, for one processor or for several.
_NATIVE = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True)
class Row:
    """A file of a distribution: its path relative to the folder of packages, and its sha256 if RECORD has one."""

    path: str
    sha256: str | None

    @property
    def place(self) -> str:
        """The path, the same wherever programs are put: `bin/NAME` for what lies beside the packages."""
        parts = PurePosixPath(self.path).parts
        return "/".join(parts[-2:] if ".." in parts else parts)


def read_record(text: str) -> list[Row]:
    """Parse a RECORD."""
    return [Row(path, _hexadecimal(digest)) for path, digest, *_ in csv.reader(text.splitlines())]


def _hexadecimal(digest: str) -> str | None:
    kind, _, value = digest.partition("=")
    return urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex() if kind == "sha256" else None


def of_the_wheel(rows: Iterable[Row], commands: Collection[str]) -> list[Row]:
    """Return the rows that every installer writes alike, sorted: no installer's files, bytecode, or launchers.

    The launchers of these commands have the interpreter's path in them.
    """

    def is_installers(row: Row) -> bool:
        path = PurePosixPath(row.place)
        own = path.parent.suffix == ".dist-info" and path.name in _INSTALLERS_OWN
        return own or path.suffix == ".pyc" or (".." in row.path and path.name in commands)

    return sorted((row for row in rows if not is_installers(row)), key=lambda row: row.place)


def digest(rows: Iterable[Row]) -> str:
    """Return one sha256 over places and hashes."""
    return hashlib.sha256("".join(f"{row.place},{row.sha256 or ''}\n" for row in rows).encode()).hexdigest()


def altered(rows: Iterable[Row], folder: Path) -> Iterator[tuple[str, Altered]]:
    """Yield place and state of each file under `folder` that is not as its row says."""
    for row in rows:
        path = folder / row.path
        if not path.is_file():
            yield row.place, Altered(sha256=MISSING)
        elif row.sha256 is not None and (found := sha256(path)) != row.sha256:
            with path.open("rb") as file:
                yield row.place, Altered(sha256=found, native=file.read(4) in _NATIVE)


def sha256(path: Path) -> str:
    """Return the hash of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
