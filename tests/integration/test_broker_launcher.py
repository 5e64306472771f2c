"""The broker's launcher: in Python as it runs natively, in C as in the image. Both are held to the same."""

import asyncio
import ctypes
import http.server
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import nats
import psutil
import pytest
from nats.errors import Error
from nats.js.api import PersistMode, StreamConfig

from qiki.files import write_atomically
from qiki.runtime import probe
from qiki_harness.stack.ports import PortLocks, free_range
from qiki_harness.stack.runfolder import user_folder
from qiki_harness.testing import Broker, until
from qiki_harness.testing.processes import CONFIGURATION, SERVER

SOURCES = Path(__file__).parents[2] / "services/nats"
# The C launcher's calls of fsync, recorded instead of made.
RECORDER = """
#include <stdio.h>
#include <string.h>
#include <unistd.h>
char synced[65536];
int recorded(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 2);
    path[length] = '\\n';
    path[length + 1] = 0;
    strcat(synced, path);
    return 0;
}
#define fsync recorded
#define main launch
#include "launcher.c"
int64_t sync_store(const char *store, int64_t since_ns) {
    synced[0] = 0;
    return sync_tree(open_folder(AT_FDCWD, store), since_ns);
}
"""
Command = list[str]
Sync = Callable[[Path, int], tuple[int, set[str]]]
LANGUAGES = ("python", "c")


@pytest.fixture(scope="session")
def compiler() -> str:
    if found := shutil.which("cc"):
        return found
    return (pytest.fail if "CI" in os.environ else pytest.skip)("takes a C compiler")


@pytest.fixture(scope="session")
def compiled(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("launcher") / "nats-launcher"
    strict = ["-std=c17", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *strict, "-o", str(program), str(SOURCES / "launcher.c")], check=True)
    return program


@pytest.fixture(params=LANGUAGES)
def launch(request: pytest.FixtureRequest) -> Command:
    """The launcher's command."""
    if request.param == "python":
        return [sys.executable, "-IS", str(SOURCES / "server.py")]
    return [str(request.getfixturevalue("compiled"))]


@pytest.fixture(params=LANGUAGES)
def probing(request: pytest.FixtureRequest) -> Command:
    """The command of the health check."""
    if request.param == "python":
        return [sys.executable, "-IS", probe.__file__]
    return [str(request.getfixturevalue("compiled")), "--probe"]


@dataclass
class Launched:
    """A broker as its launcher starts it."""

    process: psutil.Popen
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def started(launch: Command, folder: Path, store: Path, **variables: str) -> Iterator[Launched]:
    locks = PortLocks(user_folder() / "ports", "a test's broker")
    port, http_port = islice(filter(locks.take, free_range()), 2)
    settings = {"NATS_LISTEN_HOST": "127.0.0.1", "NATS_PORT": str(port), "NATS_HTTP_PORT": str(http_port)}
    settings |= variables
    command = [*launch, str(SERVER), "-c", str(CONFIGURATION), "--store_dir", str(store)]
    with (folder / "nats.log").open("wb") as log:
        process = psutil.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
    broker = Launched(process, port, folder / "nats.log")
    try:
        until("the broker to be ready", lambda: "Server is ready" in broker.said())
        yield broker
    finally:
        with suppress(psutil.NoSuchProcess):
            process.kill()
        process.wait()
        locks.release()


def test_the_watcher_of_the_broker_ends_with_it(launch: Command, tmp_path: Path):
    """And the broker takes signals as if there were none."""
    with started(launch, tmp_path, tmp_path / "store") as broker:
        (watcher,) = broker.process.children()
        broker.process.terminate()
        assert broker.process.wait(30) == 0
    until("the watcher to end", lambda: not watcher.is_running() or watcher.status() == psutil.STATUS_ZOMBIE)


def test_the_broker_reads_its_configuration_again_when_the_file_of_the_pages_was_replaced(
    launch: Command, tmp_path: Path
):
    pages = tmp_path / "users.conf"
    pages.write_text("users: []")
    with started(launch, tmp_path, tmp_path / "store", NATS_PAGES=str(pages)) as broker:
        for times in (1, 2):
            write_atomically(pages, b"users: [ ]")
            until("it to be read", lambda times=times: broker.said().count("Reloaded server configuration") == times)
        pages.unlink()
        until("it to be read", lambda: broker.said().count("Reloaded server configuration") == 3)
        assert broker.process.is_running()


async def publish_until_refused(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(StreamConfig(name="ONE", subjects=["one"]))
    with suppress(Error, TimeoutError):
        while True:
            await client.jetstream().publish("one", bytes(2**20), timeout=2)
    await client.close()


def test_a_broker_that_cannot_write_is_ended_when_there_is_room_again(launch: Command, tmp_path: Path, mounted):
    small_disk = mounted(64)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(40 * 2**20))
    with started(launch, tmp_path, small_disk) as broker:
        asyncio.run(publish_until_refused(broker.url))
        assert broker.process.is_running()
        assert "there is room again" not in broker.said()
        filler.unlink()
        assert broker.process.wait(30) == 0
        assert "nats: there is room again after: no space left on device; restarting the server" in broker.said()


async def store_in(url: str, *names: str) -> None:
    client = await nats.connect(url)
    for name in names:
        mode = PersistMode.ASYNC
        await client.jetstream().add_stream(StreamConfig(name=name, subjects=[name.lower()], persist_mode=mode))
        await client.jetstream().publish(name.lower(), b"written")
    await client.close()


@pytest.fixture(params=LANGUAGES)
def sync(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sync:
    """Sync a store: returns the time for the next call, and the paths that were synced."""
    if request.param == "python":
        return in_python(monkeypatch)
    compiler = request.getfixturevalue("compiler")
    (tmp_path / "recorder.c").write_text(RECORDER)
    library = tmp_path / "recorder.so"
    words = [f"-I{SOURCES}", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "recorder.c")]
    subprocess.run([compiler, *words], check=True)
    return in_c(ctypes.CDLL(str(library)))


def in_python(monkeypatch: pytest.MonkeyPatch) -> Sync:
    specification = importlib.util.spec_from_file_location("launcher", SOURCES / "server.py")
    assert specification is not None
    assert specification.loader is not None
    server = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(server)

    def sync(store: Path, since_ns: int) -> tuple[int, set[str]]:
        synced: set[str] = set()
        monkeypatch.setattr(os, "fsync", lambda file: synced.add(str(Path(f"/proc/self/fd/{file}").readlink())))
        try:
            return server.sync(str(store), since_ns), synced
        finally:
            monkeypatch.undo()

    return sync


def in_c(library: ctypes.CDLL) -> Sync:
    library.sync_store.argtypes = [ctypes.c_char_p, ctypes.c_int64]
    library.sync_store.restype = ctypes.c_int64

    def sync(store: Path, since_ns: int) -> tuple[int, set[str]]:
        newest_ns = library.sync_store(str(store).encode(), since_ns)
        return newest_ns, set(ctypes.string_at(library.synced).decode().splitlines())

    return sync


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_was_written_since_is_synced_and_nothing_else(sync: Sync, tmp_path: Path):
    store = tmp_path / "a store [1]"
    with Broker(store, log=tmp_path / "log") as broker:
        asyncio.run(store_in(broker.url, "ONE", "TWO"))
        until("both to be written", lambda: written(store, 2))
    everything = [store, *store.rglob("*")]
    newest_ns, synced = sync(store, 0)
    assert synced == set(map(str, everything))
    assert {"meta.inf", "meta.sum", "1.blk", "ONE"} <= {path.name for path in everything}
    assert newest_ns == max(path.stat().st_mtime_ns for path in everything)

    assert sync(store, newest_ns + 1) == (newest_ns + 1, set())
    one = next(block for block in written(store, 2) if "ONE" in block.parts)
    os.utime(one, ns=(newest_ns + 5, newest_ns + 5))
    assert sync(store, newest_ns + 1) == (newest_ns + 5, {str(one)})
    assert sync(tmp_path / "nowhere", 7) == (7, set())


def written(store: Path, number: int) -> list[Path]:
    blocks = list(store.glob("jetstream/*/streams/*/msgs/*.blk"))
    return blocks if len(blocks) == number and all(block.stat().st_size for block in blocks) else []


def lines_of(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


@pytest.mark.parametrize("to_a_file", [True, False])
def test_the_servers_log_can_be_read_in_a_folder(launch: Command, tmp_path: Path, to_a_file: bool):
    """Where the output is a pipe, as in a container, a process copies it; the last words come too."""
    log, store = tmp_path / "shared" / "server.log", tmp_path / "store"
    command = [*launch, str(SERVER), "-c", str(CONFIGURATION), "--store_dir", str(store)]
    locks = PortLocks(user_folder() / "ports", "a test's broker")
    port, http_port = islice(filter(locks.take, free_range()), 2)
    settings = {"NATS_LISTEN_HOST": "127.0.0.1", "NATS_PORT": str(port), "NATS_HTTP_PORT": str(http_port)}
    settings["NATS_LOG_DIR"] = str(log.parent)
    own = (tmp_path / "nats.log").open("wb")
    output = own if to_a_file else subprocess.PIPE
    with own, subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT) as process:
        until("the broker to be ready", lambda: "Server is ready" in lines_of(log))
        process.terminate()
        said = process.stdout.read().decode() if process.stdout else ""
        assert process.wait(30) == 0
    locks.release()
    assert log.is_symlink() == to_a_file
    assert to_a_file or "Server is ready" in said
    until("the last words", lambda: "Server Exiting.." in lines_of(log))


def run(probing: Command, url: str, *tolerated: str) -> tuple[int, str]:
    done = subprocess.run([*probing, url, *tolerated], capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout.strip()


def test_the_probe_says_how_the_broker_is(probing: Command, tmp_path: Path):
    with Broker(tmp_path) as broker:
        page = f"{broker.http_url}/healthz"
        assert run(probing, page) == (0, '{"status":"ok"}')
        broker.freeze()
        status, said = run(probing, page)
        assert (status, said.partition(": ")[0]) == (1, page)
        broker.thaw()
    status, said = run(probing, page)
    assert status == 1
    assert "Connection refused" in said


class Page(http.server.BaseHTTPRequestHandler):
    """Answers what the server's list says, the last of it for ever."""

    def do_GET(self):
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def page() -> Iterator[Callable[..., str]]:
    """Serve answers; returns the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def answering(*answers: tuple[int, str]) -> str:
            server.answers = list(answers)
            return f"http://127.0.0.1:{server.server_port}/healthz"

        yield answering
        server.shutdown()
        thread.join()


STARTING = (503, '{"status": "starting"}')
UNRECOVERED = (503, '{"error": "stream \\"X\\" could not be recovered"}')


@pytest.mark.parametrize(
    ("answers", "tolerated", "expected"),
    [
        ([UNRECOVERED], [], (1, UNRECOVERED[1])),
        ([UNRECOVERED], ["could not be recovered"], (0, UNRECOVERED[1])),
        ([(503, "no")], ["could not be recovered"], (1, "no")),
        ([STARTING, STARTING, (200, "ok\r\n")], [], (0, "ok")),
        ([STARTING], [], (1, STARTING[1])),
        ([(200, "x" * 100_000)], [], (0, "x" * 100_000)),
        ([(200, "")], [], (0, "")),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else None,
)
def test_the_probe_judges_an_answer(probing: Command, page, answers, tolerated, expected):
    assert run(probing, page(*answers), *tolerated) == expected
