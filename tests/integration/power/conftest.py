"""Disks that lose their power; how often, and by which chance."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from qiki_harness.power import Drive, Names, lacking

CUTS = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cuts` and `--seed`."""
    group = parser.getgroup("power")
    group.addoption("--cuts", type=int, default=CUTS, help="power failures of each kind (default: %(default)s)")
    group.addoption("--seed", type=int, default=1, help="of the chance in them (default: %(default)s)")


@pytest.fixture
def cuts(request: pytest.FixtureRequest) -> int:
    """The number of power failures."""
    return int(request.config.getoption("--cuts", CUTS))


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> Random:
    """When it fails, and what is left then."""
    return Random(int(request.config.getoption("--seed", 1)))


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Notes a line for the end of the test's report."""
    return lambda line: request.node.user_properties.append(("figure", line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all tests."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    lines = [
        text for report in reports if report.when == "call" for kind, text in report.user_properties if kind == "figure"
    ]
    if lines:
        terminalreporter.section("power failures")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Drive]]:
    """Mounts a disk on a folder, with what its names promise; it ends with the test."""
    if lack := lacking():
        pytest.skip(lack)
    with ExitStack() as mounted:

        def mount(folder: Path = tmp_path / "disk", names: Names = Names.STRICT) -> Drive:
            return mounted.enter_context(Drive(folder, names))

        yield mount
