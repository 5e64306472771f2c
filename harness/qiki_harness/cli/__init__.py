"""The `qiki` command."""

import sys

import typer

from qiki.errors import UserError
from qiki_harness.cli.app import app
from qiki_harness.cli.output import complain
from qiki_harness.errors import StartFailedError

_USER_ERROR = 2


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
