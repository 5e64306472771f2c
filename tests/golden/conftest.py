"""The golden runs, and what compares a process with their references."""

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from qiki.agent.engine import Engine
from qiki.botspec import BotConfig
from qiki.contracts.headers import Message
from qiki_harness.cli.recordings import SUFFIX
from qiki_harness.errors import RecordingError
from qiki_harness.golden.bus import Bus
from qiki_harness.golden.comparison import first_of, sentence
from qiki_harness.golden.reference import Reference
from qiki_harness.golden.renewal import renew
from qiki_harness.golden.run import Command, GoldenRun
from qiki_harness.testing import Broker, ServiceProcess

FOLDER = Path(__file__).parent
AVOIDANCE = FOLDER.parents[1] / "docs/examples/avoidance/avoidance.py"


def avoidance(bot: BotConfig) -> Mapping[str, Engine]:
    """The example engine, made as the agent's process makes it."""
    spec = importlib.util.spec_from_file_location("avoidance", AVOIDANCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"avoidance": module.Avoidance(bot)}


RUNS = {
    "mixed-traffic": GoldenRun(
        "mixed-traffic",
        8.0,
        (
            Command(0, "sim.xpdr.mode", {"mode": "SILENT"}),
            Command(0, "power.nbl.on", {}),
            Command(24, "sim.rcs.fire", {"axis": "port", "pct": 40.0, "duration_s": 2.0}),
            Command(50, "sim.rcs.fire", {"axis": "forward", "pct": 60.0, "duration_s": 1.0}),
            Command(60, "sim.rcs.fire", {"axis": "up", "pct": 100.0, "duration_s": 5.0}),
            Command(110, "sim.rcs.stop", {}),
        ),
    ),
    "collision": GoldenRun("collision", 12.0, engines=avoidance, rules=FOLDER / "wide_rules.yaml"),
}
"""The guard's own rules are met too late for a short run; the impostor of mixed-traffic shows itself in time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-refs`."""
    group = parser.getgroup("golden")
    help_text = "fly the golden runs, replace the references that have changed, and say in words how"
    group.addoption("--update-refs", action="store_true", help=help_text)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Renew the references, where that is asked for: once, before the workers start."""
    config = session.config
    if config.getoption("--update-refs") and not config.option.collectonly and not hasattr(config, "workerinput"):
        renew(RUNS, FOLDER, config.pluginmanager.getplugin("terminalreporter").write_line)


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Reference:
    """The reference of the golden run that the test names."""
    try:
        return Reference(FOLDER / f"{request.param}{SUFFIX}", RUNS[request.param])
    except RecordingError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """The streams of a broker of the test's own."""
    with Broker(tmp_path / "nats") as broker:
        yield Bus(broker.url)


@pytest.fixture
def ended() -> Callable[[ServiceProcess], None]:
    """Ends a process; one that ended before, or badly, fails the test with its log."""

    def end(process: ServiceProcess) -> None:
        status = process.terminate()
        if status:
            pytest.fail(f"it ended with status {status}:\n{process.words()[-4000:]}", pytrace=False)

    return end


@pytest.fixture
def assert_same() -> Callable[[str, Reference, Iterable[Message], Iterable[Message]], None]:
    """Holds what a process gave against what is recorded, and fails with the first difference."""

    def compare(who: str, reference: Reference, recorded: Iterable[Message], given: Iterable[Message]) -> None:
        recorded = list(recorded)
        assert recorded, "the reference has nothing of it"
        if found := first_of(reference.timeline, recorded, given):
            pytest.fail(sentence(who, reference.path.name, found), pytrace=False)

    return compare
