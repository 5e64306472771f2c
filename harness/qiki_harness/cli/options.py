"""Options that several commands share, and what they mean: which project, which run folder."""

import os
from pathlib import Path
from typing import Annotated

import typer

from qiki_harness.errors import HarnessError
from qiki_harness.stack import Stack

DEFAULT = "default"
COMPOSE_FILE = "docker-compose.phase1.yml"
_CHECKOUT = Path(__file__).parents[3]

Name = Annotated[str, typer.Option("--name", help="Which stack, if several run.")]
File = Annotated[
    Path | None,
    typer.Option("--file", "-f", envvar="QIKI_COMPOSE_FILE", help="The compose file of the stack.", show_default=False),
]
RunDir = Annotated[
    Path | None,
    typer.Option(
        envvar="QIKI_RUN_DIR",
        help="Where the stacks' run folders are; the project's .qiki if not given.",
        show_default=False,
    ),
]
Service = Annotated[str, typer.Argument(metavar="SERVICE", help="A service, as `qiki ps` lists them.")]


def compose_file(given: Path | None = None) -> Path:
    """The compose file: the given one, else that of the project we are in, else of the project we are part of."""
    if given:
        return given.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, _CHECKOUT):
        if (folder / COMPOSE_FILE).exists():
            return folder / COMPOSE_FILE
    raise HarnessError(f"no {COMPOSE_FILE} in {here} or above it: go to the project, or use --file")


def checkout_folder(name: str) -> Path | None:
    """A folder of the project we are in, else of the project we are part of; None where neither is a checkout."""
    here = Path.cwd()
    return next((folder / name for folder in (here, *here.parents, _CHECKOUT) if (folder / name).is_dir()), None)


def run_folder(name: str, run_dir: Path | None, file: Path | None = None) -> Path:
    """The run folder of a stack."""
    if os.sep in name or name in {"", ".", ".."}:
        raise HarnessError(f"{name!r} cannot name a stack: it becomes a folder's name")
    return (run_dir or compose_file(file).parent / ".qiki").resolve() / name


def running_stack(name: str, run_dir: Path | None) -> Stack:
    """The stack of a name, which must run."""
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive:
        raise HarnessError(f"no stack {name!r} runs in {stack.folder.path.parent}: start it with `qiki up`")
    return stack
