"""Entry point: `python -m faststream_bridge`."""

import qiki.runtime.lean  # noqa: F401 - for what it does

from faststream_bridge.app import main
from faststream_bridge.settings import BridgeSettings
from qiki.runtime.service import run_service

if __name__ == "__main__":
    run_service("faststream-bridge", BridgeSettings, main)
