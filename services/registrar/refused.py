"""Clients that the broker refused. It names them in its log alone, so that is read."""

import asyncio
import contextlib
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import NAMESPACE_OID, uuid5

import structlog

from qiki.contracts.events import ACCESS_REFUSED, AccessRefused
from qiki.contracts.identities import VIEWER
from qiki.runtime.clock import now
from qiki.runtime.identities.broker import ANYBODY
from qiki.runtime.identities.roster import ROSTER
from qiki.runtime.service import Service
from registrar.settings import RegistrarSettings

LOOK_S = 0.5
AGAIN_S = 60.0
KINDS = 20
"""Refusals of one identity, by verb and subject, that have events of their own; the others have one together."""
ALL_KINDS = 500
MANY = "many"
PART_BYTES = 1 << 16
# A client chooses the name in the first quotes; the server escapes it. So the patterns count quotes.
_CLIENT = rb'\[ERR\] (?P<address>\S+) - cid:\d+ - (?:"(?:[^"\\]|\\.)*" - )?"[^"/]*/(?:nkey|user):(?P<who>[^"]*)" - '
_VIOLATION = re.compile(_CLIENT + rb'(?P<verb>Publish|Subscription) Violation - Subject "(?P<subject>[^"]*)"')
_UNKNOWN = re.compile(
    rb'\[ERR\] (?P<address>\S+) - cid:\d+ - authentication error(?: - (?:Nkey|User) "(?P<who>[^"]*)")?'
)
_VERBS = {b"Publish": "publish", b"Subscription": "subscribe"}
LONGEST = 200
log = structlog.get_logger()


@dataclass(frozen=True)
class Refused:
    """One refusal; `who` is a public key or a user's name, and `id` the same for the same line of the log."""

    id: str
    who: str
    verb: str
    subject: str
    address: str


def read_line(line: bytes) -> Refused | None:
    """Return the refusal that a line of the broker's log tells; None for another line."""
    if found := _VIOLATION.search(line):
        verb, subject = _VERBS[found["verb"]], found["subject"]
    elif found := _UNKNOWN.search(line):
        verb, subject = "connect", b""
    else:
        return None
    event_id = str(uuid5(NAMESPACE_OID, line.decode(errors="replace")))
    return Refused(event_id, _text(found["who"] or b"nobody"), verb, _text(subject), _text(found["address"]))


class LogTail:
    """A reader of a growing file, which may be made later, cut, or replaced: then the old one is read to its end."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file: BinaryIO | None = None
        self._rest = b""

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines since the last call, up to a part; of a line without an end only its beginning is kept."""
        text = self._read()
        if not text and self._was_replaced():
            self._open()
            text = self._read()
        *whole, rest = (self._rest + text).split(b"\n")
        self._rest = rest[:PART_BYTES]
        yield from whole

    def _read(self) -> bytes:
        return self._file.read(PART_BYTES) if self._file else b""

    def _was_replaced(self) -> bool:
        try:
            now = self._path.stat()
        except OSError:
            return False
        if self._file is None:
            return True
        open_one = os.fstat(self._file.fileno())
        return now.st_ino != open_one.st_ino or now.st_size < self._file.tell()

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def _open(self) -> None:
        self.close()
        self._rest = b""
        try:
            self._file = self._path.open("rb")
        except OSError:
            self._file = None


Kind = tuple[str, str, str]


@dataclass
class _Open:
    """Refusals of one kind that no event has told yet, and when the next event may."""

    last: Refused
    due_s: float
    count: int = 0


class Refusals:
    """Raises an event for the first refusal of a kind, and one a minute for those that follow."""

    def __init__(self, service: Service[RegistrarSettings]) -> None:
        self._service = service
        self._open: dict[Kind, _Open] = {}

    def take(self, refused: Refused, names: Mapping[str, str], at_s: float) -> None:
        """Take one refusal; `at_s` is the time of a monotonic clock."""
        claimed = refused.verb == "connect"  # the client has not proved it
        identity = f"claims to be {refused.who}" if claimed else names.get(refused.who, refused.who)
        kind = identity, refused.verb, refused.subject
        if kind not in self._open and sum(one[0] == identity for one in self._open) >= KINDS:
            kind = (identity, refused.verb, MANY)
        if kind not in self._open and len(self._open) >= ALL_KINDS:
            kind = (MANY, MANY, MANY)
        one = self._open.setdefault(kind, _Open(refused, at_s))
        one.last, one.count = refused, one.count + 1

    def raise_due(self, at_s: float) -> None:
        """Raise the events that are due; forget a kind of which nothing came for a minute."""
        for kind, one in [(kind, one) for kind, one in self._open.items() if one.due_s <= at_s]:
            if one.count:
                self._raise(kind, one)
                self._open[kind] = _Open(one.last, at_s + AGAIN_S)
            else:
                del self._open[kind]

    def _raise(self, kind: Kind, one: _Open) -> None:
        identity, verb, subject = kind
        body = AccessRefused(
            source=self._service.name,
            identity=identity,
            verb=verb,
            on_subject=subject,
            address=one.last.address,
            count=one.count,
            ts_epoch=now().timestamp(),
        )
        log.warning("the broker refused a client", identity=identity, verb=verb, subject=subject, count=one.count)
        self._service.events.emit(ACCESS_REFUSED, body, event_id=one.last.id)


async def watch_refused(service: Service[RegistrarSettings]) -> None:
    """Read the broker's log from its beginning until the service stops: a refusal raised before has the same id."""
    if (file := service.settings.broker_log) is None:
        return
    if not file.exists():
        log.warning("the broker's log is not there: refused clients are not registered until it is", path=str(file))
    with contextlib.closing(LogTail(file)) as tail:
        await _follow(service, tail, Refusals(service))


async def _follow(service: Service[RegistrarSettings], tail: LogTail, refusals: Refusals) -> None:
    while not service.stopping.is_set():
        names: Mapping[str, str] | None = None
        while lines := list(tail.lines()):
            for line in lines:
                if (refused := read_line(line)) is not None:
                    names = _names(service.settings.qiki_keys_dir) if names is None else names
                    refusals.take(refused, names, time.monotonic())
            await asyncio.sleep(0)
        refusals.raise_due(time.monotonic())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(service.stopping.wait(), LOOK_S)


def _names(keys: Path | None) -> Mapping[str, str]:
    """Return the identities' names by public key, as far as they are known now."""
    viewer = {ANYBODY: VIEWER}
    try:
        rows = json.loads((Path(keys or "") / ROSTER).read_text(encoding="utf-8"))
        return viewer | {row["public"]: row["name"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return viewer


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")[:LONGEST]
