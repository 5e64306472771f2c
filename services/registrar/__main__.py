"""Entry point: `python -m registrar`."""

import qiki.runtime.lean  # noqa: F401 - for what it does

from qiki.runtime.service import run_service
from registrar.app import main
from registrar.settings import RegistrarSettings

if __name__ == "__main__":
    run_service("registrar", RegistrarSettings, main)
