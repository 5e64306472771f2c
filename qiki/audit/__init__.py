"""The audit log: records in a hash chain, on files, read and verified."""

from qiki.audit.journal import FileLimits, Journal
from qiki.audit.query import Follower, Query, find, newest
from qiki.audit.record import DamagedLineError, Draft, Entry, Head
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
    "Query",
    "find",
    "newest",
    "verify",
]
