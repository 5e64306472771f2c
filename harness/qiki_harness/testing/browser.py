"""Debian's Chromium for the tests and the bench of the operator's page, which Playwright drives."""

import os
import shutil
from importlib.util import find_spec

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Return the browser's path: CHROMIUM, or the one of the system."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def lacking() -> str | None:
    """Return what is missing to drive a browser; None if all is there."""
    if find_spec("playwright") is None:
        return "takes Playwright: tox -e console"
    return None if chromium() else "takes Chromium: apt install chromium, or CHROMIUM=/path/to/it"
