"""A recording of a short flight, and copies of it to be spoilt."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording.flown import record_flight

SECONDS = 3.0
SEED = 5


@pytest.fixture(scope="session")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of collision, with an order."""
    path = tmp_path_factory.mktemp("recording") / "flown.mcap"
    flight = Flight(load_scenario("collision"), seed=SEED)
    flight.command("sim.rcs.fire", axis="port", pct=40.0, duration_s=1.0)
    record_flight(flight, SECONDS, path)
    return path


@pytest.fixture
def copy(flown: Path, tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Path]:
    """Make a copy with other bytes."""

    def make(change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "copy.mcap"
        path.write_bytes(change(flown.read_bytes()))
        return path

    return make
