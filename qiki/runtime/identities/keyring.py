"""The keys of a stack: made at its first start, renewed, revoked, and what the broker must know of them.

The folder of the keyring holds `identities.json`, the list of identities with their public keys. Each identity's
credentials are in a folder of its own, so that each service can be given its own alone.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiki.clock import rfc3339
from qiki.contracts.identities import CONSOLE, IDENTITIES, REGISTRAR, SERVICES, SIMULATOR, VIEWER
from qiki.contracts.rights import Grant, Rights, granted, rights_of
from qiki.errors import UserError
from qiki.files import write_atomically
from qiki.runtime.identities.broker import PageAccess, write_configuration
from qiki.runtime.identities.credentials import (
    CA,
    PRIVATE,
    TOLD_BEFORE,
    credentials,
    fingerprint,
    private_folder,
    write_credentials,
    write_pair,
)
from qiki.runtime.identities.nkey import new_seed, read_seed
from qiki.runtime.identities.pages import CONFIGURATION, prepare
from qiki.runtime.identities.roster import Member, write_roster

if TYPE_CHECKING:
    from qiki.runtime.identities.certificates import Authority

LOCAL = ("localhost", "127.0.0.1", "::1")
LIST, LOCK, HOSTS, PAGES = "identities.json", "lock", "hosts.json", "pages.json"
BROKER = "nats"
"""The name that the broker's certificate has; it is no identity."""
RESERVED = {VIEWER, *SERVICES, BROKER, LOCK, "unknown", "nobody", "many"}
VALID = timedelta(days=365)
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
SUBJECT = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*(\.>)?")
"""Subjects that may be granted: nothing of the server's own, and no pattern that begins with a wildcard."""


class KeyringError(UserError):
    """An identity that there is not, or that cannot be made."""


@dataclass(frozen=True)
class Entry:
    """One identity: its public key, when it expires, where its credentials are, and what it was granted."""

    name: str
    public: str
    expires: datetime
    folder: str
    grant: Grant | None = None  # None: of the table
    certificate: str = ""  # its fingerprint

    def rights(self, *, lockstep: bool = False) -> Rights:
        """Return its rights."""
        return rights_of(self.name, lockstep=lockstep) if self.grant is None else granted(self.name, self.grant)


@dataclass
class Keyring:
    """The identities of a stack.

    Attributes:
        broker: folder of the broker's part, with the path of its own configuration
        pages: the way of the operators' pages to the broker
        lockstep: the agent conducts the simulator, so it may command it
        hosts: names and addresses that other machines reach this stack by, for the servers' certificates
    """

    folder: Path
    broker: Path
    configuration: Path
    pages: PageAccess
    lockstep: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    _ca: "Authority | None" = None

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        folder: Path,
        broker: Path,
        configuration: Path,
        *,
        lockstep: bool | None = None,
        hosts: Sequence[str] | None = None,
        pages: PageAccess | None = None,
    ) -> Iterator["Keyring"]:
        """Read the list, alone; at the end write it, and what the broker must know.

        Args:
            lockstep: None: as it was
            hosts: None: those of the last time
            pages: None: those of the last time

        Raises:
            KeyringError: the list cannot be read.
        """
        private_folder(folder)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            entries, before = _read(folder / LIST)
            known = _read_hosts(folder / HOSTS) if hosts is None else hosts
            pages = pages or _read_pages(folder) or PageAccess(folder / "pages" / CONFIGURATION, ())
            ring = cls(folder, broker, configuration, pages, before if lockstep is None else lockstep, entries, known)
            yield ring
            ring._write()
        finally:
            os.close(descriptor)

    def prepare(self, folders: Mapping[str, Path], now: datetime) -> list[str]:
        """Make what is missing, and renew what expires soon; drop what has expired. Return the names changed."""
        changed = [one.name for one in self.entries.values() if one.grant and one.expires <= now]
        for name in changed:
            self.revoke(name)
        for identity in IDENTITIES:
            entry = self.entries.get(identity.name)
            folder = folders.get(identity.name, self.folder / identity.name)
            if entry and entry.expires - now > TOLD_BEFORE and _holds(folder, entry.public):
                self.entries[identity.name] = replace(entry, folder=str(folder))
            else:
                self._make(identity.name, folder, None, now)
                changed.append(identity.name)
        return [*changed, *self._certify(now)]

    def _certify(self, now: datetime) -> Iterator[str]:
        """Make the certificates that are missing, name other hosts, or are of another authority."""
        authority, until = self._authority(now), now + TOLD_BEFORE
        for entry in list(self.entries.values()):
            least = min(until, entry.expires - timedelta(seconds=1))
            good = authority.valid(Path(entry.folder), self._hosts_of(entry.name), least)
            if not good or good != entry.certificate:
                self._issue(entry, now)
                yield entry.name
        hosts = self._hosts_of(BROKER)
        if not authority.valid(self.broker, hosts, until):
            write_pair(self.broker, authority.issue(BROKER, now + VALID, now, hosts))

    def write_ca(self, folder: Path) -> None:
        """Write the certificate of the authority where everybody can read it."""
        folder.mkdir(parents=True, exist_ok=True)
        content = (self.folder / CA).read_bytes()
        if not (folder / CA).exists() or (folder / CA).read_bytes() != content:
            write_atomically(folder / CA, content, 0o644)

    def add(self, name: str, grant: Grant, now: datetime) -> Entry:
        """Make a further identity.

        Raises:
            KeyringError: the name is taken, or is none.
        """
        if not NAME.fullmatch(name):
            raise KeyringError(f"{name!r}: expected a name of up to 32 small letters, digits and dashes")
        for subject in grant.publish:
            if not SUBJECT.fullmatch(subject):
                raise KeyringError(f"{subject!r}: expected a subject such as qiki.radar.v1.frames")
        if name in self.entries or name in RESERVED:
            raise KeyringError(f"{name}: there is an identity of this name already, or the stack uses it")
        return self._make(name, self.folder / name, grant, now)

    def renew(self, name: str, now: datetime) -> Entry:
        """Replace an identity's key; the old one is of no use from then on."""
        entry = self.entry(name)
        return self._make(name, Path(entry.folder), entry.grant, now)

    def revoke(self, name: str) -> None:
        """Remove an identity.

        Raises:
            KeyringError: it is one of the stack's own, or there is none.
        """
        entry = self.entry(name)
        if entry.grant is None:
            raise KeyringError(f"{name}: the stack needs it; `qiki keys renew {name}` replaces its key")
        del self.entries[name]
        shutil.rmtree(entry.folder, ignore_errors=True)

    def entry(self, name: str) -> Entry:
        """Return an identity by name."""
        if name not in self.entries:
            raise KeyringError(f"{name}: no such identity; there are {', '.join(sorted(self.entries))}")
        return self.entries[name]

    def _make(self, name: str, folder: Path, grant: Grant | None, now: datetime) -> Entry:
        seed = new_seed()
        entry = Entry(name, read_seed(seed).public, now + VALID, str(folder), grant)
        write_credentials(folder, name, seed, entry.expires)
        return self._issue(entry, now)

    def _issue(self, entry: Entry, now: datetime) -> Entry:
        """Make a certificate for an entry; the former one is of no use from then on."""
        pair = self._authority(now).issue(entry.name, entry.expires, now, self._hosts_of(entry.name))
        write_pair(Path(entry.folder), pair)
        self.entries[entry.name] = made = replace(entry, certificate=fingerprint(pair.certificate))
        return made

    def _authority(self, now: datetime) -> "Authority":
        if self._ca is None:
            from qiki.runtime.identities.certificates import Authority  # noqa: PLC0415 - a service needs none of it

            self._ca = Authority.of(self.folder, now)
        return self._ca

    def _hosts_of(self, name: str) -> tuple[str, ...]:
        """Return the hosts that a certificate names: none for a client's."""
        return tuple(dict.fromkeys((name, *LOCAL, *self.hosts))) if name in {SIMULATOR, CONSOLE, BROKER} else ()

    def _write(self) -> None:
        rows = [{**asdict(one), "expires": rfc3339(one.expires)} for one in self.entries.values()]
        content = {"lockstep": self.lockstep, "identities": rows}
        write_atomically(self.folder / HOSTS, json.dumps(list(self.hosts)).encode(), PRIVATE)
        write_atomically(self.folder / LIST, json.dumps(content, indent=1).encode(), PRIVATE)
        for checks in (SIMULATOR, REGISTRAR):  # the one asks who may call, the other who was refused
            if reader := self.entries.get(checks):
                write_roster(Path(reader.folder), map(_member, self.entries.values()))
        private_folder(self.broker)
        users = [(one.public, one.rights(lockstep=self.lockstep)) for one in self.entries.values()]
        pages = self.pages
        row = {"users": str(pages.users), "origins": list(pages.origins), "encrypted": pages.encrypted}
        write_atomically(self.folder / PAGES, json.dumps(row).encode(), PRIVATE)
        prepare(pages.users.parent)
        write_configuration(self.broker, self.configuration, users, pages)


def _member(entry: Entry) -> Member:
    return Member(entry.name, entry.public, entry.expires, entry.grant, entry.certificate)


def _holds(folder: Path, public: str) -> bool:
    """Return whether a folder holds the credentials of a public key, whole: a power failure may have taken a part."""
    try:
        own = credentials(folder)
        return own is not None and own.key().public == public and all(map(len, astuple(own.pair())))
    except (OSError, UserError):
        return False


def _read(path: Path) -> tuple[dict[str, Entry], bool]:
    """Return the entries by name, and whether the agent conducts the simulator."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {row["name"]: _entry(row) for row in content["identities"]}, bool(content["lockstep"])
    except FileNotFoundError:
        return {}, False
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyringError(f"{path}: cannot be read: {error}; remove it, and all keys are made again") from None


def _read_hosts(path: Path) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError):
        return ()


def _read_pages(folder: Path) -> PageAccess | None:
    try:
        row = json.loads((folder / PAGES).read_text(encoding="utf-8"))
        return PageAccess(Path(row["users"]), tuple(map(str, row["origins"])), bool(row["encrypted"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _entry(row: Mapping[str, Any]) -> Entry:
    grant = row["grant"] and Grant(bool(row["grant"]["operate"]), tuple(row["grant"]["publish"]))
    expires = datetime.fromisoformat(row["expires"])
    return Entry(row["name"], row["public"], expires, row["folder"], grant, row.get("certificate", ""))
