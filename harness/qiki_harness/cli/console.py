"""`qiki console`: the address of the operator's page, with a link for an operator; recordings on a page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from qiki.runtime.terminal import echo
from qiki_harness.cli.options import DEFAULT, Name, RunDir, running_stack
from qiki_harness.cli.played import CONSOLE, page_of, play_all
from qiki_harness.errors import HarnessError

_MOST = 2

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE [FILE]]", help="A recording, or two side by side; without one the running stack."),
]


def console(files: Files = None, name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Print the address of the operator's page, with a link that makes one browser the operator's.

    The link is good once, for half an hour; the right that it gives ends after some hours (CONSOLE_SESSION_SEC).
    With recordings: play them on brokers of their own, all of it at once, until Ctrl-C.
    """
    if files and len(files) > _MOST:
        raise HarnessError(f"console takes one recording, or two to compare, not {len(files)}")
    if files:
        play_all(files, name if name != DEFAULT else "console", run_dir, told=_say)
    elif folder := os.environ.get("QIKI_PAGES_DIR"):  # in the service's container
        port = os.environ.get("CONSOLE_LISTEN", "").rpartition(":")[2]
        scheme = "https" if os.environ.get("QIKI_TLS_NAMES") else "http"
        _say(f"{scheme}://localhost:{port}", Path(folder))
    else:
        stack = running_stack(name, run_dir)
        if (service := stack.info.services.get(CONSOLE)) is None or not service.ready:
            raise HarnessError(f"{CONSOLE} does not run: `qiki ps` shows the services")
        _say(*page_of(stack))


def links(address: str, folder: Path) -> list[str]:
    """Return the lines with the page's addresses: for everybody, and once for an operator."""
    from qiki.runtime.clock import now  # noqa: PLC0415
    from qiki.runtime.identities.pages import new_link  # noqa: PLC0415  # pydantic

    try:
        token = new_link(folder, now())
    except OSError as error:
        raise HarnessError(f"{folder}: {error.strerror}: no link can be made") from None
    return [f"  page          {address}/", f"  as operator   {address}/#token={token}   (once, within 30 minutes)"]


def _say(address: str, folder: Path) -> None:
    echo(*links(address, folder))
