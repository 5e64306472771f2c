"""Entry point: `python -m operator_console`."""

import qiki.runtime.lean  # noqa: F401 - for its effect

from operator_console.app import main
from operator_console.settings import ConsoleSettings
from qiki.runtime.service import run_service

if __name__ == "__main__":
    run_service("operator-console", ConsoleSettings, main)
