"""Options that several commands share: the project, the stack, the run folder."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from qiki_harness.errors import HarnessError
from qiki_harness.stack import Stack

DEFAULT = "default"
COMPOSE_FILE = "docker-compose.phase1.yml"
KEYS_DIR = "QIKI_KEYS_DIR"
_CHECKOUT = Path(__file__).parents[3]
QIKI = (sys.executable, "-c", "from qiki_harness.cli import main; main()")
"""The `qiki` command of this installation."""

Name = Annotated[str, typer.Option("--name", help="The name of the stack, if several run.")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", envvar="QIKI_COMPOSE_FILE", help="The compose file of the stack.")
]
RunDir = Annotated[
    Path | None,
    typer.Option(envvar="QIKI_RUN_DIR", help="The folder of the run folders; default: .qiki in the project."),
]
NatsUrl = Annotated[str | None, typer.Option(envvar="NATS_URL", help="The NATS server, if not the stack's own.")]
Run = Annotated[str | None, typer.Option(help="The run, if a recording has several; default: the longest.")]
Rules = Annotated[Path | None, typer.Option(metavar="FILE", help="The guard's rules, if not the platform's own.")]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="A service, as `qiki ps` lists them.")]


def in_checkout(name: str) -> Path | None:
    """Return a file or folder of the project around this folder, else of this code's own; None if neither has it."""
    here = Path.cwd()
    return next((folder / name for folder in (here, *here.parents, _CHECKOUT) if (folder / name).exists()), None)


def compose_file(given: Path | None = None) -> Path:
    """Return the given compose file, else the project's."""
    if found := given.resolve() if given else in_checkout(COMPOSE_FILE):
        return found
    raise HarnessError(f"no {COMPOSE_FILE} in {Path.cwd()} or above it: go to the project, or use --file")


def run_folder(name: str, run_dir: Path | None, file: Path | None = None) -> Path:
    """Return the run folder of a stack."""
    if os.sep in name or name in {"", ".", ".."}:
        raise HarnessError(f"{name!r} cannot name a stack: it becomes a folder's name")
    return (run_dir or compose_file(file).parent / ".qiki").resolve() / name


def running_stack(name: str, run_dir: Path | None) -> Stack:
    """Return the running stack of a name."""
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive:
        raise HarnessError(f"no stack {name!r} runs in {stack.folder.path.parent}: start it with `qiki up`")
    return stack


def keys_for(stack: Stack | None) -> str | None:
    """Return the folder of credentials for a stack: its operator's; for a NATS server by address the environment's."""
    return stack.info.addresses.get(KEYS_DIR) if stack else os.environ.get(KEYS_DIR)
