"""Fixtures for tests on a running twin: `twin` for those that only watch, `own_twin` for those that do more.

`--stack` chooses what `twin` is: a stack that runs, a native one of the tests' own, or a compose stack. Any repository
that has this distribution installed has the fixtures; nothing is imported before a test asks for one.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Unpack

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from qiki_harness.containers.stack import ContainerStack
    from qiki_harness.containers.stage import Stage
    from qiki_harness.twin import ForeignStack, Twin
    from qiki_harness.twin.native import TwinOptions

_ADDRESSES = ("NATS_URL", "QSIM_GRPC")
_PROJECT = "QIKI_COMPOSE_PROJECT"
_OF_THE_AGENT = ("QIKI_HTTP_HOST", "QIKI_HTTP_PORT")
_STAGE: pytest.StashKey[Stage] = pytest.StashKey()
_STARTED = pytest.StashKey[list["Twin"]]()
_LOG_LINES = 40


class OwnTwin(Protocol):
    """Starts a native stack of the test's own, which ends with the test."""

    def __call__(self, scenario: str | Path = "mixed-traffic", **options: Unpack[TwinOptions]) -> Twin:
        """See `qiki_harness.twin.start_twin`."""
        ...


class Record(Protocol):
    """Records the stack of a twin into a file, which is whole once the context ends."""

    def __call__(self, twin: Twin) -> AbstractContextManager[Path]:
        """Return the context; it gives the file's path."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--stack` and `--bundles`."""
    group = parser.getgroup("qiki")
    group.addoption(
        "--bundles",
        default=".qiki/bundles",
        metavar="FOLDER",
        help="where a failed test that used a twin leaves one file with its recording and logs, for `qiki verify` "
        "(default: .qiki/bundles below pytest's root folder; empty: nowhere)",
    )
    group.addoption(
        "--stack",
        choices=("running", "native", "compose"),
        help="what tests that only watch look at: the stack that NATS_URL and QSIM_GRPC name, a native one of their "
        "own, or a compose stack, built and started for this run (default: running where both are set, else native)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Put the chosen stack into the environment, before the workers inherit it; have warm starts for native ones."""
    from qiki_harness.forks import warm  # noqa: PLC0415

    warm.begin()  # the first stack starts its server
    session.config.add_cleanup(warm.end)
    if "QIKI_WORKSPACE" in os.environ:  # the agent's container; services that tests start take ports of their own
        for name in _OF_THE_AGENT:
            os.environ.pop(name, None)
    config = session.config
    if hasattr(config, "workerinput") or config.getoption("collectonly"):
        return
    match config.getoption("stack"):
        case "native":
            for name in _ADDRESSES:
                os.environ.pop(name, None)
        case "running" if not all(os.environ.get(name) for name in _ADDRESSES):
            raise pytest.UsageError(f"--stack running: {' and '.join(_ADDRESSES)} name the stack, and are not set")
        case "compose":
            _start_compose_stack(config)


def _start_compose_stack(config: pytest.Config) -> None:
    from qiki_harness.containers.stage import Stage  # noqa: PLC0415
    from qiki_harness.errors import HarnessError  # noqa: PLC0415

    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    try:
        stage = Stage("test", reporter.write_line)
        stage.start()
    except HarnessError as error:
        raise pytest.UsageError(f"--stack compose: {error}") from None
    config.stash[_STAGE] = stage
    config.add_cleanup(lambda: _end_compose_stack(config, failed=True))  # in case the session ends before it has begun
    stack = stage.stack
    bridge = f"http://{stack.containers.address('faststream-bridge')}:9102"
    os.environ |= {**stack.addresses, "BRIDGE_HTTP": bridge, _PROJECT: stack.project}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Take the compose stack down."""
    _end_compose_stack(session.config, failed=exitstatus == pytest.ExitCode.TESTS_FAILED)


def _end_compose_stack(config: pytest.Config, *, failed: bool) -> None:
    if stage := config.stash.get(_STAGE, None):
        del config.stash[_STAGE]
        stage.end(failed=failed)


@pytest.fixture(scope="session")
def container_stack(request: pytest.FixtureRequest) -> ContainerStack:
    """The compose stack of `--stack compose`, for any fault that it recovers from."""
    stage = request.config.stash.get(_STAGE, None)
    if stage is None:
        pytest.skip("takes a compose stack: --stack compose, and no parallel workers")
    return stage.stack


@pytest.fixture(scope="session")
def watched_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignStack]:
    """The stack that tests only watch, one for all of the run and its workers.

    It is the one that NATS_URL and QSIM_GRPC name, where both are set; else a native one with the default scenario.
    """
    from qiki_harness.twin import ForeignStack, SharedStack, start_stack  # noqa: PLC0415

    running = ForeignStack.of_environment()
    if running and (project := os.environ.get(_PROJECT)):
        from qiki_harness.containers.stage import ContainerBacking  # noqa: PLC0415

        yield ContainerBacking(running.addresses, project)
    elif running:
        yield running
    else:
        share = SharedStack.join(
            _folder_of_the_run(tmp_path_factory) / "watched",
            lambda folder: start_stack(folder, env={"QIKI_AUTOSTART": "true"}),
        )
        yield share
        share.leave()


def _folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run have, and no other run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="module")
def twin(watched_stack: ForeignStack) -> Iterator[Twin]:
    """A running stack, to be watched only: all tests of a module have the same histories of it."""
    from qiki_harness.twin import Twin  # noqa: PLC0415

    with closing(Twin(watched_stack)) as twin:
        yield twin


@pytest.fixture
def own_twin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnTwin]:
    """Native stacks of the test's own, on free ports, in its `tmp_path`."""
    from qiki_harness.twin import start_twin  # noqa: PLC0415

    twins = request.node.stash.setdefault(_STARTED, [])
    with ExitStack() as ends:

        def start(scenario: str | Path = "mixed-traffic", **options: Unpack[TwinOptions]) -> Twin:
            __tracebackhide__ = True
            twin = start_twin(tmp_path / f"stack-{len(twins)}", scenario, **options)
            ends.callback(twin.close)
            twins.append(twin)
            return twin

        yield start


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Records the stack of a twin: what its streams keep, and what passes while the context lasts."""
    from qiki_harness.recording.about import about, attachments  # noqa: PLC0415
    from qiki_harness.recording.recorder import Recorder  # noqa: PLC0415
    from qiki_harness.recording.writer import RecordingWriter  # noqa: PLC0415
    from qiki_harness.twin.backing import NATS_URL, tests_keys  # noqa: PLC0415

    @contextmanager
    def recorded(twin: Twin) -> Iterator[Path]:
        addresses, path = twin.backing.addresses, tmp_path / f"run-{len(list(tmp_path.glob('run-*.mcap')))}.mcap"
        writer = RecordingWriter(path, about(addresses[NATS_URL], None), attachments(None))
        with Recorder(writer, addresses[NATS_URL], tests_keys(addresses), everything=True) as recorder:
            yield path
            recorder.catch_up()

    return recorded


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the services' last log lines to the failure of a test that used a twin, and leave a bundle."""
    report = yield
    if report.failed and report.when != "teardown" and "qiki_harness.twin" in sys.modules:
        from qiki_harness.twin import Twin  # noqa: PLC0415

        given = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Twin)]
        twins = list(dict.fromkeys([*item.stash.get(_STARTED, []), *given]))
        for twin in twins:
            headline, *lines = twin.backing.situation(_LOG_LINES)
            report.sections.append((headline, "\n".join(lines)))
        if twins and (folder := item.config.getoption("bundles")):
            report.sections.append(("to see it again", _leave_bundle(item, folder, report.longreprtext, twins)))
    return report


def _leave_bundle(item: pytest.Item, folder: str, failure: str, twins: list[Twin]) -> str:
    """Write the bundle of a failed test, and return the command that shows it again."""
    from qiki_harness.recording.bundle import exhibit_of, write_bundle  # noqa: PLC0415

    try:
        path = write_bundle(item.config.rootpath / folder, item.nodeid, failure, map(exhibit_of, twins))
    except Exception as error:  # the test's own failure counts
        return f"no bundle was written: {type(error).__name__}: {error}"
    return f"qiki verify {os.path.relpath(path)}"
