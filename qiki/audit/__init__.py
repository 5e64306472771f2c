"""The audit log: records in a hash chain, on files, read and verified."""

from qiki.audit.journal import FileLimits, Journal
from qiki.audit.query import Follower, Query, find, newest
from qiki.audit.record import DamagedLineError, Draft, Entry, Head
from qiki.audit.signatures import Signatures, SignedSpan
from qiki.audit.signing import PublicKey, SigningKey, SigningKeyError, load_key, make_key, read_public
from qiki.audit.verify import AuditReport, LogFault, verify

__all__ = [
    "AuditReport",
    "DamagedLineError",
    "Draft",
    "Entry",
    "FileLimits",
    "Follower",
    "Head",
    "Journal",
    "LogFault",
    "PublicKey",
    "Query",
    "Signatures",
    "SignedSpan",
    "SigningKey",
    "SigningKeyError",
    "find",
    "load_key",
    "make_key",
    "newest",
    "read_public",
    "verify",
]
