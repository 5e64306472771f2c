"""`qiki keys`: the identities of a stack, and what is given to the owners of other programs."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.options import Name, RunDir, run_folder
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError
from qiki_harness.stack import Stack

if TYPE_CHECKING:
    from qiki.contracts.rights import Grant
    from qiki.runtime.identities.keyring import Entry, Keyring

app = typer.Typer(help="Who may connect, and do what: list, add, hand out, revoke, renew.", no_args_is_help=True)

Identity = Annotated[str, typer.Argument(metavar="NAME", help="The name of the identity.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CONFIGURATION = "services/nats/nats.conf"
FILES = ("seed.nk", "identity.json", "ca.pem", "cert.pem", "cert.key")
_COLUMNS = ("identity", "may", "expires", "credentials")
_NEXT_START = "The broker learns it at its next start."


class May(StrEnum):
    """Kinds of rights that can be given."""

    WATCH = "watch"
    OPERATE = "operate"
    PUBLISH = "publish"


@app.command("list")
def list_(as_json: Json = False, name: Name = "default", run_dir: RunDir = None) -> None:
    """Show every identity, its rights, and until when its key is good."""
    keys = _Keys.of(name, run_dir)
    with keys.open() as ring:
        rows = [(one.name, _may(one), one.expires.strftime("%Y-%m-%d"), one.folder) for one in ring.entries.values()]
    if as_json:
        echo_json(json.dumps([dict(zip(_COLUMNS, row, strict=True)) for row in rows], indent=1))
    else:
        echo(*table([name.upper() for name in _COLUMNS], rows))


@app.command()
def add(
    identity: Identity,
    subjects: Annotated[list[str] | None, typer.Argument(metavar="[SUBJECT]...", help="With --may publish.")] = None,
    may: Annotated[May, typer.Option(help="Watch: as without a key. Operate: command, and see the truth.")] = May.WATCH,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Make an identity for another program: `qiki keys add lidar --may publish qiki.radar.v1.frames`."""
    grant = _grant(may, tuple(subjects or ()))
    keys = _Keys.of(name, run_dir)
    with keys.open() as ring:
        entry = ring.add(identity, grant, _now())
    echo(f"{identity} may {_may(entry)}. {keys.reload()}")
    echo(f"Its credentials: qiki keys export {identity} FOLDER")


@app.command()
def export(
    identity: Identity,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, which only you can open.")],
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Copy an identity's credentials into a new folder, for its owner."""
    keys = _Keys.of(name, run_dir)
    mask = os.umask(0o077)
    try:
        with keys.open() as ring:
            source = Path(ring.entry(identity).folder)
            folder.mkdir(parents=True)
            for file in FILES:
                shutil.copyfile(source / file, folder / file)
    except OSError as error:
        raise HarnessError(f"{error.filename or folder}: {error.strerror}") from None
    finally:
        os.umask(mask)
    echo(f"{folder}/seed.nk is the key of {identity}: its owner is {identity}.")


@app.command("reload")
def reload_(name: Name = "default", run_dir: RunDir = None) -> None:
    """Have the running broker read keys and rights again."""
    echo(_Keys.of(name, run_dir).reload())


@app.command()
def revoke(identity: Identity, name: Name = "default", run_dir: RunDir = None) -> None:
    """Remove an identity that was added: its connections end at once."""
    keys = _Keys.of(name, run_dir)
    with keys.open() as ring:
        ring.revoke(identity)
    echo(f"{identity} is no more. {keys.reload()}")


@app.command()
def renew(identity: Identity, name: Name = "default", run_dir: RunDir = None) -> None:
    """Give an identity a new key, good for a year; the old one ends at once. A running service finds it by itself."""
    keys = _Keys.of(name, run_dir)
    with keys.open() as ring:
        entry = ring.renew(identity, _now())
    echo(f"{identity} has a new key, good until {entry.expires:%Y-%m-%d}. {keys.reload()}")


@dataclass(frozen=True)
class _Keys:
    """Folders of the keyring and of the broker's part, the broker's own configuration, and its address if it runs."""

    keyring: Path
    broker: Path
    configuration: Path
    url: str | None

    @classmethod
    def of(cls, name: str, run_dir: Path | None) -> "_Keys":
        """Return those that the environment names, as in a container, else the stack's."""
        if given := os.environ.get("KEYRING_DIR"):
            configuration = Path(os.environ.get("NATS_CONFIGURATION", CONFIGURATION))
            return cls(Path(given), Path(os.environ["BROKER_KEYS_DIR"]), configuration, os.environ.get("NATS_URL"))
        stack = Stack(run_folder(name, run_dir))
        if (info := stack.folder.read()) is None:
            raise HarnessError(
                f"there was never a stack {name!r} in {stack.folder.path.parent}: start it with `qiki up`"
            )
        data = stack.folder.data
        url = info.addresses["NATS_URL"] if stack.alive else None
        return cls(data / "keyring", data / "keys-broker", info.compose_file.parent / CONFIGURATION, url)

    @contextmanager
    def open(self) -> "Iterator[Keyring]":
        """Open the keyring; what is changed is written at the end."""
        from qiki.runtime.identities.keyring import Keyring  # noqa: PLC0415  # cryptography

        if not self.keyring.is_dir():
            raise HarnessError(f"no keys in {self.keyring}: `qiki up` makes them")
        with Keyring.open(self.keyring, self.broker, self.configuration.resolve()) as ring:
            yield ring

    def reload(self) -> str:
        """Have a running broker read the rights again; return whether it did, as text."""
        from qiki.runtime.identities.reload import ReloadError, reload  # noqa: PLC0415  # nats

        if not self.url:
            return _NEXT_START
        try:
            reload(self.url, self.keyring / "system")
        except ReloadError as error:
            raise HarnessError(f"written, but the broker goes on as before: {error}; then: qiki keys reload") from None
        return "The broker knows it."


def _grant(may: May, subjects: tuple[str, ...]) -> "Grant":
    from qiki.contracts.rights import Grant  # noqa: PLC0415

    if bool(subjects) != (may is May.PUBLISH):
        raise HarnessError("--may publish takes the subjects, and nothing else does")
    return Grant(operate=may is May.OPERATE, publish=subjects)


def _may(entry: "Entry") -> str:
    if entry.grant is None:
        return "what the stack's tables say"
    if entry.grant.publish:
        return f"publish {' '.join(entry.grant.publish)}"
    return str(May.OPERATE if entry.grant.operate else May.WATCH)


def _now() -> datetime:
    from qiki.runtime.clock import now  # noqa: PLC0415

    return now()
