"""Tokens: proof of an identity in the metadata of one gRPC call, where no client certificate gives it.

A token names the identity, the time in microseconds and a nonce; the identity's key signs these with the method. It
is of use for one call of that method, within `VALID_S`: the longest that a call waits for a simulator that is away.
"""

import base64
import binascii
import secrets
import time
from dataclasses import dataclass, field
from itertools import islice

from qiki.runtime.identities.credentials import SEED, Credentials, file_version
from qiki.runtime.identities.nkey import Nkey, verify
from qiki.runtime.identities.roster import Member, Roster

KEY = "x-qiki-token"
VALID_S = 60.0
AHEAD_S = 5.0
"""By so much the clock of the caller may be ahead."""
MAX_SEEN = 250_000
LONGEST = 200
_HEAD = b"qiki-grpc-token"


class TokenError(Exception):
    """A token that proves nothing."""


class Signer:
    """Makes tokens with the key that the folder of the credentials holds now."""

    def __init__(self, own: Credentials) -> None:
        self._own = own
        self._seed = own.folder / SEED
        self._key: Nkey | None = None
        self._version: tuple[int, int] = (0, 0)

    def metadata(self, path: str) -> tuple[tuple[str, str], ...]:
        """Return the metadata for one call of a method."""
        return ((KEY, self.token(path, time.time())),)

    def token(self, path: str, now_s: float) -> str:
        """Return a token for one call of a method."""
        stated = f"{self._own.name}:{int(now_s * 1e6)}:{secrets.token_hex(8)}"
        signature = self._present_key().sign(_signed(path, stated))
        return f"{stated}:{base64.urlsafe_b64encode(signature).decode()}"

    def _present_key(self) -> Nkey:
        version = file_version(self._seed)
        if self._key is None or version != self._version:
            self._key, self._version = self._own.key(), version
        return self._key


@dataclass
class TokenCheck:
    """Checks tokens against the public keys of a roster; each token is good once."""

    roster: Roster
    _seen: dict[str, float] = field(default_factory=dict)

    def member(self, text: str, path: str, now_s: float) -> Member:
        """Return the identity that a token proves.

        Raises:
            TokenError: it proves none; the text says why.
        """
        name, time_us, nonce, signature = _parts(text)
        age_s = now_s - time_us / 1e6
        if not -AHEAD_S <= age_s <= VALID_S:
            raise TokenError(f"the token is from {age_s:.0f} s ago (expected at most {VALID_S:.0f} s)")
        member = self.roster.find(name)
        if member is None:
            raise TokenError("the token names no identity of this stack: never made, or revoked")
        if not verify(member.public, signature, _signed(path, f"{name}:{time_us}:{nonce}")):
            raise TokenError("the token's signature is wrong: another method's, or of a key that was replaced")
        self._once(nonce, now_s)
        return member

    def _once(self, nonce: str, now_s: float) -> None:
        for old in [nonce for nonce, until_s in islice(self._seen.items(), 2) if until_s <= now_s]:
            del self._seen[old]  # two for each that comes: the table shrinks, and the call stays short
        if nonce in self._seen:
            raise TokenError("the token was used before")
        if len(self._seen) >= MAX_SEEN:
            raise TokenError(f"more than {MAX_SEEN} tokens came within {VALID_S:.0f} s")
        self._seen[nonce] = now_s + VALID_S + AHEAD_S


def _signed(path: str, stated: str) -> bytes:
    return b"\0".join((_HEAD, path.encode(), stated.encode()))


def _parts(text: str) -> tuple[str, int, str, bytes]:
    try:
        name, time_us, nonce, signature = text[:LONGEST].split(":")
        return name, int(time_us), nonce, base64.b64decode(signature, b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise TokenError(f"{KEY}: expected NAME:MICROSECONDS:NONCE:SIGNATURE") from None
