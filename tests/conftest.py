"""Settings for all tests, and what several folders of them share."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from qiki.agent.engine import GROUP

# No time limit for one example: a busy machine is no bug. In CI the same examples every time.
settings.register_profile("qiki", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("qiki")

# A shell's background job ignores Ctrl-C, and so would everything that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def installed(tmp_path):
    """Installs engines from their modules, in a folder that an agent's PYTHONPATH has to name; gives the folder."""

    def install(*modules: Path, **factories: str) -> Path:
        folder = tmp_path / "engines"
        info = folder / "engines-1.0.dist-info"
        info.mkdir(parents=True)
        for module in modules:
            shutil.copy(module, folder)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: engines\nVersion: 1.0\n")
        lines = [f"{name} = {factory}" for name, factory in factories.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
        return folder

    return install
