"""The credentials of one identity, in a folder that only its owner can read: `seed.nk` and `identity.json`."""

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qiki.clock import rfc3339
from qiki.errors import UserError
from qiki.runtime.files import write_atomically
from qiki.runtime.identities.nkey import Nkey, read_seed

PRIVATE = 0o600
SEED, ABOUT = "seed.nk", "identity.json"
KEYS_DIR = "QIKI_KEYS_DIR"


class CredentialsError(UserError):
    """Credentials that are missing or cannot be read."""


@dataclass(frozen=True)
class Credentials:
    """Name, folder and time of expiry (UTC) of an identity. The key itself is read each time that it is used."""

    name: str
    folder: Path
    expires: datetime

    def nats(self) -> dict[str, Any]:
        """Return the options of nats-py's `connect`."""
        return {"nkeys_seed": str(self.folder / SEED), "inbox_prefix": f"_INBOX.{self.name}".encode()}

    def key(self) -> Nkey:
        """Read the key."""
        return read_seed(_read(self.folder / SEED).strip())


def credentials(folder: Path | str | None) -> Credentials | None:
    """Return the credentials in a folder; None without a folder, for whoever is the viewer.

    Raises:
        CredentialsError: there are none in it.
    """
    if not folder:
        return None
    text = _read(Path(folder) / ABOUT)
    try:
        about = json.loads(text)
        return Credentials(str(about["name"]), Path(folder), datetime.fromisoformat(about["expires"]))
    except (ValueError, KeyError, TypeError):
        raise CredentialsError(f"{KEYS_DIR}: {Path(folder) / ABOUT} is not one that `qiki keys` wrote") from None


def nats_options(folder: Path | str | None) -> dict[str, Any]:
    """Return the options of nats-py's `connect` for the credentials in a folder; none without a folder."""
    found = credentials(folder)
    return found.nats() if found else {}


def write_credentials(folder: Path, name: str, seed: str, expires: datetime) -> None:
    """Write the credentials of an identity; the seed first, so that what is named by the other file is there."""
    private_folder(folder)
    write_atomically(folder / SEED, f"{seed}\n".encode(), PRIVATE)
    write_atomically(folder / ABOUT, json.dumps({"name": name, "expires": rfc3339(expires)}).encode(), PRIVATE)


def private_folder(folder: Path) -> None:
    """Make a folder that nobody else can open. A container's volume may be another user's: it is mounted in few."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)


def file_version(path: Path) -> tuple[int, int]:
    """Return what differs once a file was replaced; zeros where there is none."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_ino


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(f"{KEYS_DIR}: {path}: {error.strerror}: `qiki keys` makes credentials") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"{KEYS_DIR}: {path} is not one that `qiki keys` wrote") from None
