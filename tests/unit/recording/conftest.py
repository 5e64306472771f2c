"""A recording of a short flight, and copies of it to be spoilt."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from qiki.agent.engine import GROUP
from qiki.botspec import generate, load_spec
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording.flown import record_flight

SECONDS = 3.0
SEED = 5
AVOIDANCE = Path(__file__).parents[3] / "docs/examples/avoidance/avoidance.py"
ENCOUNTER_S = 43.0
"""The boulder of the scenario strikes at 40 s."""


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


@pytest.fixture(scope="session")
def engine() -> Iterator[ModuleType]:
    """The example engine."""
    spec = importlib.util.spec_from_file_location("avoidance", AVOIDANCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["avoidance"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["avoidance"]


@pytest.fixture
def installed(engine: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example engine is installed."""
    assert engine.Avoidance
    info = tmp_path / "engines" / "engines-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(AVOIDANCE, info.parent)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: engines\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\navoidance = avoidance:Avoidance\n")
    monkeypatch.syspath_prepend(info.parent)


@pytest.fixture(scope="session")
def struck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collision, with an agent that has no engine: it goes into safe mode, and is struck."""
    path = tmp_path_factory.mktemp("struck") / "struck.mcap"
    record_flight(Flight(load_scenario("collision")), ENCOUNTER_S, path)
    return path


@pytest.fixture(scope="session")
def avoided(engine: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collision, with an engine that avoids it."""
    path, bot = tmp_path_factory.mktemp("avoided") / "avoided.mcap", generate(load_spec())
    flight = Flight(load_scenario("collision"), bot=bot, engines={"avoidance": engine.Avoidance(bot)})
    record_flight(flight, ENCOUNTER_S, path)
    return path


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mixed traffic with a spoofer, and a stranger that comes close."""
    path = tmp_path_factory.mktemp("traffic") / "traffic.mcap"
    record_flight(Flight(load_scenario("mixed-traffic")), 25.0, path)
    return path
