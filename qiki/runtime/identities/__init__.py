"""Identities: keys, the broker's rights made from the tables, and the credentials of whoever connects."""

from qiki.runtime.identities.credentials import Credentials, CredentialsError, credentials
from qiki.runtime.identities.keyring import TOLD_BEFORE, Entry, Keyring, KeyringError
from qiki.runtime.identities.nkey import Nkey, is_public, new_seed, read_seed, verify

__all__ = [
    "TOLD_BEFORE",
    "Credentials", "CredentialsError", "Entry", "Keyring", "KeyringError", "Nkey", "credentials", "is_public",
    "new_seed", "read_seed", "verify",
]  # fmt: skip
