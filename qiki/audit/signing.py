"""Signing of the audit log's heads, and their keys: made, read from files, written as one line of text.

The private key is a file of its own (PKCS8 PEM, 0600). Its public half lies beside it as a line `ed25519:BASE64` that
everybody may read. A signature covers sequence and hash of a head, so everything in the chain before it.
"""

import base64
import contextlib
import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from qiki.audit.record import Head
from qiki.clock import rfc3339
from qiki.contracts.audit import AuditAnchor
from qiki.errors import UserError
from qiki.files import sync_folder

KEY_FILE = "signing.pem"
PUBLIC_SUFFIX = ".pub"
KEY_BYTES = 32
MAX_FILE_BYTES = 1 << 16
_PREFIX = "ed25519:"
_DOMAIN = "qiki audit head 1"


class SigningKeyError(UserError):
    """A key file that is missing, exists already, or is none."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signing key."""

    raw: bytes

    @property
    def text(self) -> str:
        """The key as text on one line."""
        return _PREFIX + base64.b64encode(self.raw).decode()

    @property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of its SHA-256: enough to tell keys apart."""
        return sha256(self.raw).hexdigest()[:16]

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """Read a key's text; ValueError if it is none."""
        prefix, raw = text[: len(_PREFIX)], text[len(_PREFIX) :]
        if prefix != _PREFIX:
            raise ValueError(f"expected {_PREFIX}BASE64")
        key = cls(base64.b64decode(raw, validate=True))
        if len(key.raw) != KEY_BYTES or key.text != text:
            raise ValueError(f"expected {KEY_BYTES} bytes in base64 after {_PREFIX}")
        return key

    def signed(self, anchor: AuditAnchor) -> bool:
        """Return whether the anchor names this key and bears its signature."""
        if anchor.key != self.text:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(base64.b64decode(anchor.signature), _statement(anchor))
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """A private key; `public` is its public half."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    def sign(self, head: Head, moment: datetime) -> AuditAnchor:
        """Return the signed head."""
        blank = AuditAnchor.model_construct(
            sequence=head.sequence, hash=head.hash, signed_at=moment, key=self.public.text, signature=""
        )
        signature = base64.b64encode(self._private.sign(_statement(blank))).decode()
        return blank.model_copy(update={"signature": signature})


def signer_of(anchor: AuditAnchor) -> PublicKey | None:
    """Return the key that an anchor names, if the signature is that key's; anybody can make such a pair."""
    try:
        key = PublicKey.read(anchor.key)
    except ValueError:
        return None
    return key if key.signed(anchor) else None


def head_of(anchor: AuditAnchor) -> Head:
    """Return the head that an anchor is about."""
    return Head(anchor.sequence, anchor.hash)


def make_key(path: Path) -> PublicKey:
    """Make a key pair: the private half in `path`, the public half beside it; a key that is there is never replaced.

    One maker at a time: the caller holds a lock.

    Raises:
        SigningKeyError: there is a file already, or the folder cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    key = SigningKey(private).public
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    if path.exists():
        raise SigningKeyError(f"{path}: there is a key already; move it away to make a new one")
    try:
        _write(fresh, pem, 0o600)
        fresh.replace(path)
        write_public(path.with_suffix(PUBLIC_SUFFIX), (key,))
        sync_folder(path.parent)
    except OSError as error:
        raise SigningKeyError(f"{path}: cannot be made: {error.strerror}") from None
    return key


def load_key(path: Path) -> SigningKey:
    """Read a private key.

    Raises:
        FileNotFoundError: there is no such file.
        SigningKeyError: it cannot be read, or holds no Ed25519 key without a password.
    """
    try:
        private = load_pem_private_key(_content(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise SigningKeyError(f"{path}: expected an Ed25519 private key in PEM, without a password")
    return SigningKey(private)


def read_public(text: str) -> tuple[PublicKey, ...]:
    """Return the key that a text is, or the keys in the file that it names, one a line.

    Raises:
        SigningKeyError: it is neither.
    """
    if text.startswith(_PREFIX):
        return _keys(text, text)
    try:
        content = _content(Path(text)).decode("ascii", "replace")
    except FileNotFoundError:
        raise SigningKeyError(f"{text}: expected {_PREFIX}BASE64, or a file of such lines") from None
    return _keys(content, text)


def write_public(path: Path, keys: tuple[PublicKey, ...]) -> None:
    """Write public keys, one a line, for everybody to read; on an OSError the file is as it was."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    _write(fresh, "".join(f"{key.text}\n" for key in keys).encode(), 0o644)
    fresh.replace(path)


def _keys(content: str, where: str) -> tuple[PublicKey, ...]:
    try:
        keys = tuple(PublicKey.read(line.strip()) for line in content.splitlines() if line.strip())
    except ValueError:
        keys = ()
    if not keys:
        raise SigningKeyError(f"{where}: no public key: expected {_PREFIX}BASE64, one a line")
    return keys


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SigningKeyError(f"{path}: {error.strerror}") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask takes away
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _statement(anchor: AuditAnchor) -> bytes:
    lines = (_DOMAIN, str(anchor.sequence), anchor.hash, rfc3339(anchor.signed_at), anchor.key)
    return "".join(f"{line}\n" for line in lines).encode()
