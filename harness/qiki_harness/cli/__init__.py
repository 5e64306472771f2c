"""The `qiki` command. A command imports what is slow to import only when it runs."""

import logging
import signal
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer

from qiki.errors import UserError
from qiki.runtime.terminal import OutputClosedError, drop_output, echo
from qiki_harness.cli import (
    cards,
    console,
    doctor,
    durability,
    events,
    forks,
    hunt,
    keys,
    manifest,
    reasons,
    recordings,
    replays,
    scenarios,
    score,
    spec,
    stacks,
    sweeps,
    train,
    up,
)
from qiki_harness.cli.output import LogLines, complain
from qiki_harness.errors import DeadlineError, StartFailedError

_BUG, _USER_ERROR = 1, 2
_NOBODY_READS = 128 + signal.SIGPIPE
_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False, context_settings=_HELP)


def _show_version(wanted: bool) -> None:
    if wanted:
        echo(f"qiki {version('qiki-dtmp')}")
        raise typer.Exit


@app.callback()
def qiki(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run, watch and check QIKI DTMP, the digital twin of a small space vehicle."""
    if context.invoked_subcommand is None:
        context.get_help()  # prints it


for command in (up.up, stacks.ps, stacks.logs, stacks.restart, stacks.down, stacks.watch, score.score):
    app.command()(command)
app.command()(recordings.record)
app.command()(train.train)
app.command()(replays.verify)
app.command()(replays.diff)
app.command()(replays.play)
app.command()(console.console)
app.command()(forks.fork)
app.command()(reasons.why)
app.command()(hunt.hunt)
app.add_typer(recordings.app, name="recording")
app.command()(doctor.doctor)
app.command()(durability.durability)
app.add_typer(scenarios.app, name="scenario")
app.add_typer(sweeps.app, name="sweep")
app.add_typer(cards.app, name="card")
for group in (events, keys, spec, manifest):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])


def main() -> None:
    """Run the command. A user's error is one line on stderr; a bug keeps its traceback, and ends with status 1."""
    logging.lastResort = LogLines(logging.WARNING)
    try:
        sys.exit(app(prog_name="qiki", standalone_mode=False))
    except typer.TyperException as error:
        complain(f"{' '.join(error.format_message().split())} (qiki --help, qiki COMMAND --help)")
        sys.exit(_USER_ERROR)
    except StartFailedError as error:
        complain(str(error), error.last_words)
        sys.exit(error.exit_status)
    except DeadlineError as error:
        complain(error.message, error.details)
        sys.exit(_USER_ERROR)
    except UserError as error:
        complain(str(error))
        sys.exit(_USER_ERROR)
    except OutputClosedError:
        drop_output()
        sys.exit(_NOBODY_READS)
    except Exception:
        echo(*traceback.format_exc().rstrip("\n").split("\n"), stream=sys.stderr)
        sys.exit(_BUG)
