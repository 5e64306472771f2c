"""Services that are forked beside the same ones started by exec: small packages of the tests' own, real processes."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from qiki_harness.errors import StackError
from qiki_harness.forks import warm
from qiki_harness.stack import Stack, StackInfo, StackOptions
from qiki_harness.testing import until

LEAN = "import qiki.runtime.lean\n"
SHOWS = (Path(__file__).parent / "shows_itself.py").read_text()
STAY = "signal.pause()"
PAUSE = f"import signal\n{STAY}"

Start = Callable[..., Stack]
Package = Callable[..., None]


@pytest.fixture
def own_warmth(monkeypatch: pytest.MonkeyPatch) -> None:
    """No warm server of the session: it may have imported packages of the same names from other tests' folders."""
    monkeypatch.setattr(warm, "_wanted", warm._Wanted())


@pytest.fixture(params=["cold", "warm"])
def temperature(request: pytest.FixtureRequest, own_warmth: None) -> Iterator[str]:
    """A supervisor that is started by exec, or forked by a warm server."""
    with warm.warm_starts() if request.param == "warm" else nullcontext():
        yield str(request.param)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Writes a package whose `__main__.py` begins as a service's does; `modules` are its other files."""

    def write(name: str, main: str, **modules: str) -> None:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for module, text in {"__init__": "", "__main__": LEAN + textwrap.dedent(main), **modules}.items():
            (folder / f"{module}.py").write_text(textwrap.dedent(text))

    return write


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts stacks of services, each a module with its own variables and other keys, and stops them at the end."""
    started: list[Stack] = []

    def run(modules: list[str], *, restart: str = "unless-stopped", environment: str = "") -> Stack:
        lines = [
            f'{module}: {{command: [python, -m, {module}, "an argument"], restart: "{restart}", '
            f"environment: {{LOG_LEVEL: DEBUG, PYTHONUNBUFFERED: '1', OPENBLAS_NUM_THREADS: '1', {environment}}}}}"
            for module in modules
        ]
        file = tmp_path / "compose.yml"
        file.write_text("services:\n  " + "\n  ".join(lines))
        stack = Stack.start(StackOptions(file, tmp_path / f"run{len(started)}", auto_ports=True))
        started.append(stack)
        return stack

    yield run
    for stack in started:
        stack.stop()


def is_forked(info: StackInfo, service: str) -> bool:
    """The name of a process that was started by exec is that of its program."""
    name = psutil.Process(info.services[service].pid).name()
    assert name in {service[:15], "python"}
    return name != "python"


def said(stack: Stack, service: str) -> str:
    """Why it was started by exec."""
    lines = [line.partition(f"{service} is started by exec: ")[2] for line in stack.logs("qiki")]
    return next((line for line in reversed(lines) if line), "")


def fork_server_pid(info: StackInfo) -> int | None:
    for child in psutil.Process(info.pid).children():
        with suppress(psutil.NoSuchProcess):  # it may end as it is looked at
            if child.name() == "qiki-forks":
                return child.pid
    return None


def pids(info: StackInfo) -> list[int]:
    return [status.pid for status in info.services.values() if status.pid]


def working_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def fork_server(info: StackInfo) -> psutil.Process:
    (server,) = [child for child in psutil.Process(info.pid).children() if child.name() == "qiki-forks"]
    return server


def lives(pid: int | None) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def family(info: StackInfo) -> list[int]:
    """The supervisor and all that descends from it."""
    return [info.pid, *(child.pid for child in psutil.Process(info.pid).children(recursive=True))]


def shown(stack: Stack, service: str) -> tuple[dict[str, Any], dict[str, Any]]:
    line = until("it to show itself", lambda: stack.logs(service))[-1]
    common, own = json.loads(line)
    return common, own


def test_a_forked_service_looks_as_one_that_was_started_by_exec(
    temperature: str, package: Package, start: Start, monkeypatch: pytest.MonkeyPatch
):
    package("shows", f"import signal\nfrom shows.body import show\nshow()\n{STAY}", body=SHOWS)
    package("other", f"import numpy, grpc.aio, faststream.nats\n{PAUSE}")
    forked = start(["other", "shows"], environment="ANY: thing")
    of_fork = shown(forked, "shows")
    info = forked.wait_healthy()
    assert is_forked(info, "shows")
    assert is_forked(info, "other"), said(forked, "other")
    monkeypatch.setenv("QIKI_START", "exec")
    executed = start(["other", "shows"], environment="ANY: thing")
    of_exec = shown(executed, "shows")
    assert not is_forked(executed.wait_healthy(), "shows")

    assert of_fork[0] == of_exec[0]
    assert list(of_fork[0]["descriptors"].values()) == ["null", "shows.log", "shows.log"]
    assert of_fork[1]["parent"] == info.pid
    assert of_fork[1]["random"] != of_exec[1]["random"]
    titles = [psutil.Process(one.services["shows"].pid).cmdline() for one in (info, executed.info)]
    assert " ".join(titles[0]) == " ".join(titles[1])


ENDS = {
    "by itself": "import atexit\natexit.register(print, 'at exit')\nprint('in time', end='')",
    "with a status": "import sys\nsys.exit(3)",
    "with words": "import sys\nsys.exit('it cannot be')",
    "with a traceback": "def broken():\n    raise ValueError('of ours')\nbroken()",
    "interrupted": "raise KeyboardInterrupt",
    "by a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
    "after its threads": "import threading, time\nthreading.Timer(0.05, print, ['later']).start()\nprint('first')",
    "without its module": "import there_is_no_such_module",
}


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_as_an_interpreter_ends(
    how: str, temperature: str, package: Package, start: Start, monkeypatch: pytest.MonkeyPatch
):
    package("ends", ENDS[how])
    package("stays", PAUSE)
    ends = []
    for environment in ("fork", "exec"):
        monkeypatch.setenv("QIKI_START", environment)
        stack = start(["ends", "stays"], restart="no")
        status = stack.wait_until("it ends", lambda info: info.services["ends"].exit_code is not None, 60)
        lines = [line for line in stack.logs("ends") if "runpy" not in line]
        ends.append((status.services["ends"].exit_code, lines[:12]))
        stack.stop()
    forked, executed = ends
    assert forked[0] == executed[0]
    assert forked[1][-3:] == executed[1][-3:]
    assert not [line for line in forked[1] if "qiki_harness" in line]


def test_kills_leave_nothing_behind_and_harm_no_running_service(temperature: str, package: Package, start: Start):
    package("stays", PAUSE)
    stack = start(["stays"])
    first = stack.wait_healthy()
    assert is_forked(first, "stays")

    stack.kill("stays")
    second = stack.wait_healthy()
    assert second.services["stays"].restarts == 1
    assert is_forked(second, "stays")

    fork_server(second).kill()
    until("the fork server is reaped", lambda: fork_server_pid(second) is None)
    assert stack.info.services["stays"] == second.services["stays"]
    stack.kill("stays")
    third = stack.wait_healthy()
    assert third.services["stays"].restarts == 2
    assert not is_forked(third, "stays")
    assert said(stack, "stays") == "the fork server has ended"

    everybody = family(third)
    os.kill(third.pid, signal.SIGKILL)
    until("all are gone", lambda: not [pid for pid in everybody if lives(pid)])


@pytest.mark.parametrize("first", ["supervisor", "fork server"])
def test_a_killed_supervisor_takes_forked_services_and_the_fork_server_along(
    first: str, temperature: str, package: Package, start: Start
):
    package("stays", PAUSE)
    package("parent", "import os, signal\nif not os.fork(): os.setpgid(0, os.getppid())\nsignal.pause()")
    stack = start(["stays", "parent"])
    info = stack.wait_healthy()
    assert is_forked(info, "stays"), said(stack, "stays")
    everybody = family(info)
    assert len(everybody) >= 6  # supervisor, fork server, guardian, three of services
    victims = [info.pid, fork_server(info).pid]
    for victim in victims if first == "supervisor" else reversed(victims):
        if lives(victim):
            os.kill(victim, signal.SIGKILL)
    until("all are gone", lambda: not [pid for pid in everybody if lives(pid)])
    until("the supervisor is known to be gone", lambda: not stack.alive)


def test_a_supervisor_killed_while_it_forks_leaves_nothing_behind(
    temperature: str, package: Package, start: Start, tmp_path: Path
):
    names = [f"s{number}" for number in range(5)]
    for name in names:
        package(name, PAUSE)
    for running in range(len(names)):
        stack = start(names)
        stack.wait_until("some run", lambda info, n=running: len(pids(info)) >= n, 60)
        os.kill(stack.info.pid, signal.SIGKILL)
        until("the supervisor is gone", lambda stack=stack: not stack.alive)
        until("nobody works there any more", lambda: not working_in(tmp_path))


def test_a_fork_server_killed_while_it_forks_costs_no_service(temperature: str, package: Package, start: Start):
    names = [f"s{number}" for number in range(5)]
    for name in names:
        package(name, PAUSE)
    for running in range(len(names)):
        stack = start(names)
        info = stack.wait_until("some run", lambda info, n=running: len(pids(info)) >= n, 60)
        for server in psutil.Process(info.pid).children():
            if server.name() == "qiki-forks":
                server.kill()
        info = stack.wait_healthy()
        assert [info.services[name].restarts for name in names] == [0] * len(names)
        members = [child for child in psutil.Process(info.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
        assert len(members) == len(names) + 1, "each service once, and the guardian"
        stack.stop()


@pytest.mark.usefixtures("own_warmth")
def test_a_stack_outlives_its_warm_server_and_ends_with_its_starter(package: Package, start: Start):
    package("stays", PAUSE)
    with warm.warm_starts():
        stack = start(["stays"])
        info = stack.wait_healthy()
        server = psutil.Process(info.pid).parent()
        assert server is not None
        assert "warmserver" in " ".join(server.cmdline())
        server.kill()
        until("it is gone", lambda: psutil.Process(info.pid).ppid() != server.pid)
        assert stack.info.services["stays"] == info.services["stays"]
        stack.kill("stays")
        assert is_forked(stack.wait_healthy(), "stays"), said(stack, "stays")
        another = start(["stays"])
        assert is_forked(another.wait_healthy(), "stays")
        stack.stop()
    until("all are gone", lambda: not lives(info.pid))


def test_a_killed_session_leaves_nothing_behind(package: Package, tmp_path: Path):
    package("stays", PAUSE)
    (tmp_path / "compose.yml").write_text("services: {stays: {command: [python, -m, stays]}}")
    script = """
        from pathlib import Path
        from qiki_harness.forks.warm import warm_starts
        from qiki_harness.stack import Stack, StackOptions
        with warm_starts(), Stack.start(StackOptions(Path("compose.yml"), Path("run"))) as stack:
            stack.wait_healthy()
            print("up", flush=True)
            input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, text=True) as session:
        assert session.stdout
        assert session.stdout.readline() == "up\n"
        everybody = [child.pid for child in psutil.Process(session.pid).children(recursive=True)]
        assert is_forked(Stack(tmp_path / "run").info, "stays")
        session.kill()
    until("all are gone", lambda: not [pid for pid in everybody if lives(pid)])


def test_an_edit_is_run_and_what_was_not_edited_is_forked(
    temperature: str, package: Package, start: Start, tmp_path: Path
):
    package("edited", f"from edited.body import WORDS\nprint(WORDS)\n{PAUSE}", body="from shared import END\nWORDS = 1")
    package("other", PAUSE)
    package("both", f"import shared\nprint(shared.END)\n{PAUSE}")
    (tmp_path / "shared.py").write_text("END = 1\n")
    stack = start(["edited", "other", "both"])
    assert all(is_forked(stack.wait_healthy(), name) for name in ("edited", "other", "both"))

    (tmp_path / "edited/body.py").write_text("from shared import END\nWORDS = 'as edited'")
    for name in ("edited", "other", "both"):
        stack.restart(name)
    info = stack.wait_healthy()
    until("the edit to show", lambda: stack.logs("edited")[-1] == "as edited")
    assert [is_forked(info, name) for name in ("edited", "other", "both")] == [False, True, True]
    assert said(stack, "edited") == f"{tmp_path}/edited/body.py has changed"

    (tmp_path / "shared.py").write_text("END = 'of both'\n")
    for name in ("other", "both"):
        stack.restart(name)
    info = stack.wait_healthy()
    until("the edit to show", lambda: stack.logs("both")[-1] == "of both")
    assert [is_forked(info, name) for name in ("other", "both")] == [True, False]


REFUSALS = {
    "a thread": ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()", "2 threads"),
    "a channel": ("import grpc\nchannel = grpc.insecure_channel('127.0.0.1:1')", "threads run"),
    "a server": ("import grpc\nfrom concurrent.futures import *\ns = grpc.server(ThreadPoolExecutor())", "threads run"),
    "a loop": ("import asyncio\nloop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)", "descriptor is open"),
    "a file": ("import os\nfile = open(os.devnull)", "a descriptor is open: /dev/null"),
    "a child": ("import subprocess\nchild = subprocess.Popen(['sleep', '60'])", "it has child processes"),
    "a handler": ("import signal\nsignal.signal(signal.SIGUSR1, print)", "signal handlers were set: SIGUSR1"),
    "a tracer": ("import sys\nsys.settrace(lambda *_: None)", "it is traced"),
    "words": ("print('here')", "the imports print 'here"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_is_not_safe_to_fork_is_refused(what: str, temperature: str, package: Package, start: Start):
    body, why = REFUSALS[what]
    package("holds", f"import holds.body\n{PAUSE}", body=body)
    stack = start(["holds"])
    assert not is_forked(stack.wait_healthy(), "holds")
    assert why in said(stack, "holds")


@pytest.mark.parametrize(
    ("main", "environment", "why"),
    [
        ("", "LD_PRELOAD: ''", "its environment differs in LD_PRELOAD"),
        ("", "OMP_NUM_THREADS: '7', PYTHONHASHSEED: '1'", "its environment differs in PYTHONHASHSEED"),
        ("", "COVERAGE_PROCESS_START: x", "its environment differs in COVERAGE_PROCESS_START"),
        ("", "PATH: /usr/bin", "its Python is "),
        ("import there_is_none\n", "", "its imports fail: ModuleNotFoundError"),
    ],
)
@pytest.mark.usefixtures("own_warmth")
def test_what_differs_from_what_was_imported_is_started_by_exec(
    main: str, environment: str, why: str, package: Package, start: Start
):
    package("stays", PAUSE + f"\n{main}")
    package("plain", PAUSE)
    stack = start(["stays", "plain"], environment=environment)
    stack.wait_until("it was tried", lambda info: info.services["stays"].started_at is not None, 60)
    assert why in until("it says why", lambda: said(stack, "stays"))


@pytest.mark.usefixtures("own_warmth")
def test_a_foreign_package_is_started_by_exec(start: Start, tmp_path: Path, package: Package):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/__init__.py").write_text("import threading\nthreading.Timer(600, print).start()")
    (tmp_path / "foreign/__main__.py").write_text("import signal\nsignal.pause()")
    package("ours", PAUSE)
    stack = start(["foreign", "ours"])
    info = stack.wait_healthy()
    assert said(stack, "foreign") == "it does not import qiki.runtime.lean first"
    assert is_forked(info, "ours")


@pytest.mark.usefixtures("own_warmth")
def test_starts_by_exec_are_had_for_the_asking(package: Package, start: Start, monkeypatch: pytest.MonkeyPatch):
    package("stays", PAUSE)
    monkeypatch.setenv("QIKI_START", "exec")
    stack = start(["stays"])
    info = stack.wait_healthy()
    assert not is_forked(info, "stays")
    assert said(stack, "stays") == "QIKI_START=exec"
    assert len(psutil.Process(info.pid).children()) == 2  # the service, the guardian
    monkeypatch.setenv("QIKI_START", "spoon")
    with pytest.raises(StackError, match="QIKI_START='spoon': expected fork or exec"):
        start(["stays"])
