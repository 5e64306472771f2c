"""User nkeys: Ed25519 keys in the text form of NATS (ADR-14): base32 of a prefix, the key, and a CRC-16."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from qiki.errors import UserError

_SEED, _USER = 18 << 3, 20 << 3
_KEY_BYTES = 32


class NkeyError(UserError):
    """A text that is no user nkey."""


@dataclass(frozen=True)
class Nkey:
    """A user's key; `public` is its public text."""

    public: str
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message (64 bytes)."""
        return self._private.sign(message)


def new_seed() -> str:
    """Return a new seed: the secret text of a key."""
    head = bytes([_SEED | (_USER >> 5), (_USER & 31) << 3])
    return _encode(head + secrets.token_bytes(_KEY_BYTES))


def read_seed(text: str) -> Nkey:
    """Return the key of a seed.

    Raises:
        NkeyError: it is none. The text is not repeated: it may be a secret.
    """
    raw = _decode(text, 2)
    if raw is None or raw[0] & 0xF8 != _SEED or ((raw[0] & 7) << 5 | (raw[1] & 0xF8) >> 3) != _USER:
        raise NkeyError("expected the seed of a user's nkey, which begins with SU")
    private = Ed25519PrivateKey.from_private_bytes(raw[2:])
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Nkey(public_text(public), private)


def public_text(public: bytes) -> str:
    """Return the text of a public key (32 bytes)."""
    return _encode(bytes([_USER]) + public)


def is_public(text: str) -> bool:
    """Return whether a text is a user's public key."""
    raw = _decode(text, 1)
    return raw is not None and raw[0] == _USER


def verify(public: str, signature: bytes, message: bytes) -> bool:
    """Return whether a signature is of this key and message."""
    raw = _decode(public, 1)
    if raw is None or raw[0] != _USER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _encode(raw: bytes) -> str:
    check = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + check).decode().rstrip("=")


def _decode(text: str, prefix_bytes: int) -> bytes | None:
    """Return prefix and key; None for another text."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        return None
    body, check = raw[:-2], raw[-2:]
    whole = len(body) == prefix_bytes + _KEY_BYTES and binascii.crc_hqx(body, 0).to_bytes(2, "little") == check
    return body if whole else None
