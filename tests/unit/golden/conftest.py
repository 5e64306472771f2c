"""A short golden run, and its recording."""

from pathlib import Path

import pytest

from qiki_harness.golden.run import Command, GoldenRun

RUN = GoldenRun("collision", 1.0, (Command(4, "sim.rcs.fire", {"axis": "up", "pct": 50.0, "duration_s": 0.5}),))


@pytest.fixture(scope="session")
def run() -> GoldenRun:
    """A second of collision, with a command."""
    return RUN


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of the run."""
    path = tmp_path_factory.mktemp("golden") / "run.mcap"
    RUN.record(path)
    return path
