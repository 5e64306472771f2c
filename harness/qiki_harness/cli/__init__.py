"""The `qiki` command. A command imports what is slow to import only when it runs."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from qiki.errors import UserError
from qiki_harness.cli import doctor, durability, events, keys, manifest, scenarios, score, spec, stacks, up
from qiki_harness.cli.output import complain
from qiki_harness.errors import StartFailedError

_USER_ERROR = 2
_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False, context_settings=_HELP)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"qiki {version('qiki-dtmp')}")
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
        print(context.get_help())


for command in (up.up, stacks.ps, stacks.logs, stacks.restart, stacks.down, stacks.watch, score.score):
    app.command()(command)
app.command()(doctor.doctor)
app.command()(durability.durability)
app.add_typer(scenarios.app, name="scenario")
for group in (events, keys, spec, manifest):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])


def main() -> None:
    """Run the command. A user's error is one line on stderr, a bug keeps its traceback."""
    try:
        sys.exit(app(prog_name="qiki", standalone_mode=False))
    except typer.TyperException as error:
        complain(f"{error.format_message()} (qiki --help, qiki COMMAND --help)")
        sys.exit(_USER_ERROR)
    except StartFailedError as error:
        complain(str(error), error.last_words)
        sys.exit(error.exit_status)
    except UserError as error:
        complain(str(error))
        sys.exit(_USER_ERROR)
