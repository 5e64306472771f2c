"""Fixtures for tests on a running twin: `twin` for those that only watch, `own_twin` for those that do more.

Any repository that has this distribution installed has them; nothing is imported before a test asks for one.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path
    from uuid import UUID

    from qiki_harness.twin import Twin

_STARTED = pytest.StashKey[list["Twin"]]()
_LOG_LINES = 40


class OwnTwin(Protocol):
    """Starts a native stack of the test's own, which ends with the test."""

    def __call__(
        self,
        scenario: str | Path = "mixed-traffic",
        *,
        seed: int | None = None,
        speed: float | None = None,
        run_id: UUID | None = None,
        start: bool = True,
        env: Mapping[str, str] | None = None,
        without: tuple[str, ...] = (),
    ) -> Twin:
        """See `qiki_harness.twin.start_twin`."""
        ...


@pytest.fixture(scope="session")
def shared_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """The stack of all tests of this process that only watch; take `twin`."""
    from qiki_harness.twin import ForeignStack, Twin, start_twin  # noqa: PLC0415

    running = ForeignStack.of_environment()
    twin = Twin(running) if running else start_twin(tmp_path_factory.mktemp("twin"))
    yield twin
    twin.close()


@pytest.fixture
def twin(shared_twin: Twin) -> Twin:
    """A running stack, to be watched only: others watch it too.

    It is the one that NATS_URL and QSIM_GRPC name, where both are set; else a native one with the default scenario.
    """
    return shared_twin


@pytest.fixture
def own_twin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnTwin]:
    """Native stacks of the test's own, on free ports, in its `tmp_path`."""
    from qiki_harness.twin import start_twin  # noqa: PLC0415

    twins = request.node.stash.setdefault(_STARTED, [])
    with ExitStack() as ends:

        def start(scenario: str | Path = "mixed-traffic", **options: Any) -> Twin:
            __tracebackhide__ = True
            twin = start_twin(tmp_path / f"stack-{len(twins)}", scenario, **options)
            ends.callback(twin.close)
            twins.append(twin)
            return twin

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what the services said last beside the failure of a test that uses a twin."""
    report = yield
    if report.failed and report.when != "teardown" and "qiki_harness.twin" in sys.modules:
        for twin in _twins_of(item):
            headline, *lines = twin.situation(_LOG_LINES)
            report.sections.append((headline, "\n".join(lines)))
    return report


def _twins_of(item: pytest.Item) -> list[Twin]:
    """Those that it started, and those that its fixtures gave it."""
    from qiki_harness.twin import Twin  # noqa: PLC0415

    given = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Twin)]
    return list(dict.fromkeys([*item.stash.get(_STARTED, []), *given]))
