"""Operators' pages: a link with a one-time token, which a page exchanges for a user of the broker with an end.

The folder holds a file for each link that was not used yet, named by the hash of its token; the list of users; and
their part of the broker's configuration, which the broker's watcher has it read again when it was replaced.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from qiki.clock import rfc3339
from qiki.contracts.rights import of_pages
from qiki.files import write_atomically
from qiki.runtime.identities.broker import permissions
from qiki.runtime.identities.credentials import HANDED_OUT, private_folder

USERS, CONFIGURATION = "users.json", "users.conf"
LINK = ".link"
LINK_VALID = timedelta(minutes=30)
MAX_USERS = 64
"""The user whose end is nearest makes room for another one."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class PageUser:
    """A user of the broker; `until` ends the right."""

    user: str
    password: str
    until: datetime


class Pages:
    """The links and users in a folder. One process makes users; others make links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._users = _read(folder / USERS)

    @property
    def users(self) -> Sequence[PageUser]:
        """The users, the nearest end first."""
        return self._users

    def exchange(self, token: str, now: datetime, valid: timedelta) -> PageUser | None:
        """Return a new user for a token, which is used up; None for one that is unknown, used or too old.

        Raises:
            OSError: the user cannot be written.
        """
        if not TOKEN.fullmatch(token):
            return None
        link = self._folder / _link_name(token)
        try:
            expires = datetime.fromisoformat(link.read_text(encoding="utf-8"))
            link.unlink()  # of two exchanges at once, one fails here
        except (OSError, ValueError):
            return None
        if expires <= now:
            return None
        user = PageUser(f"page-{secrets.token_hex(4)}", secrets.token_urlsafe(32), now + valid)
        self._write([*self._users, user][-MAX_USERS:])
        return user

    def prune(self, now: datetime) -> list[PageUser]:
        """Remove and return the users whose right has ended, and remove links that are too old.

        Raises:
            OSError: the users cannot be written.
        """
        for link in self._folder.glob(f"*{LINK}"):
            if _expired(link, now):
                link.unlink(missing_ok=True)
        ended = [one for one in self._users if one.until <= now]
        if ended:
            self._write([one for one in self._users if one.until > now])
        return ended

    def _write(self, users: Iterable[PageUser]) -> None:
        kept = sorted(users, key=lambda one: one.until)
        rows = [{**asdict(one), "until": rfc3339(one.until)} for one in kept]
        write_atomically(self._folder / USERS, json.dumps(rows, indent=1).encode(), HANDED_OUT)
        write_atomically(self._folder / CONFIGURATION, configuration(kept), HANDED_OUT)
        self._users = kept


def new_link(folder: Path, now: datetime) -> str:
    """Make a link, and return its token.

    Raises:
        OSError: the folder cannot be written.
    """
    token = secrets.token_urlsafe(32)
    write_atomically(folder / _link_name(token), rfc3339(now + LINK_VALID).encode(), HANDED_OUT)
    return token


def prepare(folder: Path) -> None:
    """Make the folder and an empty part of the configuration, where there is none: the broker needs it to start."""
    private_folder(folder)
    if not (folder / CONFIGURATION).exists():
        write_atomically(folder / CONFIGURATION, configuration([]), HANDED_OUT)


def configuration(users: Iterable[PageUser]) -> bytes:
    """Return the users as a part of the broker's configuration, for their account alone."""
    rights = permissions(of_pages())
    rows = [{"user": one.user, "password": one.password, "permissions": rights} for one in users]
    return f"users: {json.dumps(rows, indent=1)}\n".encode()


def _link_name(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest() + LINK


def _expired(link: Path, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(link.read_text(encoding="utf-8")) <= now
    except (OSError, ValueError):
        return True


def _read(path: Path) -> list[PageUser]:
    """Return the users of a former process; none where the list cannot be read."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [PageUser(str(row["user"]), str(row["password"]), datetime.fromisoformat(row["until"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []
