"""A keyring for tests, with the credentials of every identity."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from qiki.contracts.rights import Grant
from qiki.runtime.identities.credentials import credentials
from qiki.runtime.identities.keyring import Keyring
from qiki.runtime.identities.tokens import Signer
from qiki_harness.testing.processes import CONFIGURATION


class StackKeys:
    """The keys of a stack in a folder; `hosts` are further names of its servers."""

    def __init__(self, folder: Path, hosts: Sequence[str] = ()) -> None:
        self._folder, self._hosts = folder, hosts
        with self.open() as ring:
            ring.prepare({}, datetime.now(UTC))

    @property
    def broker(self) -> Path:
        """The folder of the broker's configuration."""
        return self._folder / "broker"

    def open(self) -> AbstractContextManager[Keyring]:
        """Open the keyring."""
        return Keyring.open(self._folder / "ring", self.broker, CONFIGURATION, lockstep=False, hosts=self._hosts)

    def of(self, name: str) -> Path:
        """Return the folder of an identity's credentials."""
        return self._folder / "ring" / name

    def signer(self, name: str) -> Signer:
        """Return what makes an identity's tokens."""
        own = credentials(self.of(name))
        assert own
        return Signer(own)

    def add(self, name: str, grant: Grant) -> Path:
        """Make a further identity, and return the folder of its credentials."""
        with self.open() as ring:
            ring.add(name, grant, datetime.now(UTC))
        return self.of(name)

    def renew(self, name: str) -> None:
        """Replace an identity's keys."""
        with self.open() as ring:
            ring.renew(name, datetime.now(UTC))

    def revoke(self, name: str) -> None:
        """Remove a further identity."""
        with self.open() as ring:
            ring.revoke(name)
