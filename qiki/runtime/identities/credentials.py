"""The credentials of one identity, in a folder that only its owner can read.

`seed.nk` is its key, `cert.pem` and `cert.key` are the certificate for TLS, `ca.pem` the authority (CA) of the stack,
`identity.json` has its name.
"""

import contextlib
import hashlib
import ipaddress
import json
import os
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qiki.clock import rfc3339
from qiki.errors import UserError
from qiki.runtime.identities.nkey import Nkey, read_seed

PRIVATE = 0o600
HANDED_OUT = 0o640
"""Of credentials. Their folder is closed; a volume's is not, and there its group is the devcontainer's user too."""
SEED, ABOUT = "seed.nk", "identity.json"
CA, CERTIFICATE, CERTIFICATE_KEY = "ca.pem", "cert.pem", "cert.key"
KEYS_DIR = "QIKI_KEYS_DIR"
TOLD_BEFORE = timedelta(days=30)
"""Time before the expiry from which on it is reported, and in which a start renews a stack's own identities."""


class CredentialsError(UserError):
    """Credentials that are missing or cannot be read."""


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, and the certificate of the authority, as PEM."""

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """Name, folder and time of expiry (UTC) of an identity. The key itself is read each time that it is used."""

    name: str
    folder: Path
    expires: datetime

    def nats(self, url: str = "") -> dict[str, Any]:
        """Return the options of nats-py's `connect`: with TLS, to a server that is not on this machine."""
        options: dict[str, Any] = {
            "nkeys_seed": str(self.folder / SEED),
            "inbox_prefix": f"_INBOX.{self.name}".encode(),
        }
        if is_remote(urlsplit(url).hostname):
            options["tls"] = context = ssl.create_default_context(cadata=_read(self.folder / CA))
            context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
        return options

    def pair(self) -> Pair:
        """Read the certificate and its key."""
        ca, certificate, key = (_read(self.folder / one).encode() for one in (CA, CERTIFICATE, CERTIFICATE_KEY))
        return Pair(ca, certificate, key)

    @property
    def certificate(self) -> Path:
        """The file of the certificate."""
        return self.folder / CERTIFICATE

    def key(self) -> Nkey:
        """Read the key."""
        return read_seed(_read(self.folder / SEED).strip())


def credentials(folder: Path | str | None) -> Credentials | None:
    """Return the credentials in a folder; None without a folder: the caller is the viewer.

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


def nats_options(folder: Path | str | None, url: str = "") -> dict[str, Any]:
    """Return the options of nats-py's `connect` for the credentials in a folder; none without a folder."""
    found = credentials(folder)
    return found.nats(url) if found else {}


def is_remote(host: str | None) -> bool:
    """Return whether a host is another machine, as far as its name tells."""
    if not host or host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return True


def fingerprint(pem: bytes) -> str:
    """Return what tells a certificate from all others."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()


def write_credentials(folder: Path, name: str, seed: str, expires: datetime) -> None:
    """Write the credentials of an identity; the seed first, so that what is named by the other file is there."""
    private_folder(folder)
    _replace(folder / SEED, f"{seed}\n".encode())
    _replace(folder / ABOUT, json.dumps({"name": name, "expires": rfc3339(expires)}).encode())


def write_pair(folder: Path, pair: Pair) -> None:
    """Write a certificate; it comes last, for those who look whether it has changed."""
    private_folder(folder)
    for name, content in ((CA, pair.ca), (CERTIFICATE_KEY, pair.key), (CERTIFICATE, pair.certificate)):
        _replace(folder / name, content)


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


def _replace(path: Path, content: bytes) -> None:
    """Replace a file, without waiting for the disk: what a power failure takes is made again at the next start."""
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, HANDED_OUT), "wb") as file:
        file.write(content)
    part.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(f"{KEYS_DIR}: {path}: {error.strerror}: `qiki keys` makes credentials") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"{KEYS_DIR}: {path} is not one that `qiki keys` wrote") from None
