"""The roster: names, public keys and rights of all identities, without a secret, for a service that checks callers."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from qiki.clock import rfc3339
from qiki.contracts.rights import Grant
from qiki.files import write_atomically
from qiki.runtime.clock import now
from qiki.runtime.identities.credentials import PRIVATE, CredentialsError, file_version

ROSTER = "identities.json"
log = structlog.get_logger()


@dataclass(frozen=True)
class Member:
    """An identity as others see it; `grant` is None for one of the table, `certificate` a fingerprint."""

    name: str
    public: str
    expires: datetime
    grant: Grant | None = None
    certificate: str = ""


class Roster:
    """The roster in a folder, read again when it was replaced, so that `renew` and `revoke` hold at once.

    While it cannot be read nobody is on it.

    Raises:
        CredentialsError: it cannot be read at the start.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ROSTER
        self._version = file_version(self._path)
        self._members = _read(self._path)

    def find(self, name: str) -> Member | None:
        """Return an identity that has not expired; None if there is none."""
        self._refresh()
        member = self._members.get(name)
        return member if member and member.expires > now() else None

    def with_certificate(self, known_by: str) -> Member | None:
        """Return the identity whose present certificate has this fingerprint, if it has not expired."""
        self._refresh()
        found = (one for one in self._members.values() if known_by and one.certificate == known_by)
        return next((one for one in found if one.expires > now()), None)

    def _refresh(self) -> None:
        version = file_version(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._members = _read(self._path)
        except CredentialsError as error:
            self._members = {}
            log.error("identities cannot be read: nobody may command", reason=str(error))
        else:
            log.info("identities changed", count=len(self._members))


def write_roster(folder: Path, members: Iterable[Member]) -> None:
    """Write the roster into the folder of the service that checks callers."""
    rows = [{**asdict(one), "expires": rfc3339(one.expires)} for one in members]
    write_atomically(folder / ROSTER, json.dumps(rows, indent=1).encode(), PRIVATE)


def _read(path: Path) -> dict[str, Member]:
    try:
        return {row["name"]: _member(row) for row in json.loads(path.read_text(encoding="utf-8"))}
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}: the next start of the stack writes it") from None
    except (ValueError, KeyError, TypeError):
        raise CredentialsError(f"{path}: not a list of identities: the next start of the stack writes it") from None


def _member(row: dict[str, Any]) -> Member:
    grant = row["grant"] and Grant(bool(row["grant"]["operate"]), tuple(row["grant"]["publish"]))
    expires = datetime.fromisoformat(row["expires"])
    return Member(str(row["name"]), str(row["public"]), expires, grant, str(row["certificate"]))
