"""The `qiki` command as its user runs it: processes, signals, exit statuses."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from uuid import UUID

import nats
import psutil
import pytest

from qiki.contracts import headers, topics
from qiki_harness.stack import Stack

DEADLINE_S = 60.0
QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
STAY = "exec sleep 600"
TWO = f"""
    services:
      db:
        command: ["sh", "-c", "echo db is here; touch db-is-up; {STAY}"]
        restart: unless-stopped
        expose: ["${{DB_PORT:-4000}}"]
        healthcheck: {{interval: 100ms, timeout: 5s, start_period: 20s, start_interval: 10ms, test: "test -e db-is-up"}}
      web:
        command: ["sh", "-c", "echo web is here; {STAY}"]
        depends_on: {{db: {{condition: service_healthy}}}}
    x-addresses: {{DB_URL: "db://${{DB_HOST:-db}}:${{DB_PORT:-4000}}"}}
"""
TOUGH = """
    services:
      a:
        command: ["sh", "-c", "trap '' TERM; touch up; while :; do sleep 0.05; done"]
        stop_grace_period: 10m
        healthcheck: {interval: 10ms, timeout: 5s, start_period: 20s, start_interval: 10ms, test: "test -e up"}
"""
BROKER = """
    services:
      nats:
        command: ["nats-server", "-a", "127.0.0.1", "-p", "${NATS_PORT:-4222}"]
        restart: unless-stopped
        ports: ["${NATS_PORT:-4222}:4222"]
        healthcheck:
          interval: 100ms
          timeout: 5s
          start_period: 20s
          start_interval: 20ms
          test: ["CMD", "python", "-ISc", "import socket; socket.create_connection(('127.0.0.1', ${NATS_PORT:-4222}))"]
    x-addresses: {NATS_URL: "nats://${NATS_HOST:-nats}:${NATS_PORT:-4222}"}
"""
TRACK = {
    "track_id": str(UUID(int=0xABCDEF01 << 96)),
    "object_type": 1,
    "iff": 2,
    "status": 2,
    "quality": 0.5,
    "range_m": 1234.5,
    "bearing_deg": 45.0,
    "elev_deg": -3.0,
    "vr_mps": -12.0,
    "snr_db": 20.0,
    "rcs_dbsm": 0.0,
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    "age_s": 7.0,
}


class Project:
    """A folder with a compose file, and `qiki` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[Running] = []
        self.environment = {**os.environ, "NO_COLOR": "1"}
        for name in ("NATS_URL", "QIKI_COMPOSE_FILE", "QIKI_RUN_DIR", "QIKI_WORKSPACE"):
            self.environment.pop(name, None)

    def describe(self, text: str) -> None:
        (self.folder / "docker-compose.phase1.yml").write_text(textwrap.dedent(text), encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*QIKI, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def begin(self, *words: str) -> "Running":
        process = subprocess.Popen(
            [*QIKI, *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(Running(process))
        return self.running[-1]

    @property
    def stack(self) -> Stack:
        return Stack(self.folder / ".qiki" / "default")


class Running:
    """A `qiki` that runs; its lines are collected as they come."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    def says(self, words: str) -> None:
        try:
            eventually(f"it says {words!r}", lambda: any(words in line for line in list(self.lines)))
        except AssertionError:
            print(*self.lines, sep="\n")
            raise

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return status


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    for running in made.running:
        running.process.kill()
        running.end()
    for folder in (tmp_path / ".qiki").glob("*"):
        Stack(folder).stop(DEADLINE_S)


def eventually(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


def lives(pid: int | None) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("qiki: ")
    return lines[0]


# In the foreground


def test_up_tells_what_runs_shows_logs_and_ends_at_ctrl_c(project: Project):
    project.describe(TWO)
    up = project.begin("up")
    up.says("Ctrl-C ends it")
    info = project.stack.info
    assert up.lines[0].startswith("  ✓ db   ready")
    assert "(waited for db until" in up.lines[1]
    assert up.lines[2].startswith("Stack 'default' is up: 2 services in ")
    assert up.lines[3].endswith(f"DB_URL=db://127.0.0.1:{info.port('DB_PORT')}")
    project.stack.kill("db")
    up.says("db   | db is here")
    up.says("qiki | ")
    pids = [info.pid, *(status.pid for status in project.stack.wait_healthy(DEADLINE_S).services.values())]
    up.interrupt()
    assert up.end() == 0
    assert not [pid for pid in pids if lives(pid)]


def test_a_second_ctrl_c_kills_what_does_not_stop(project: Project):
    project.describe(TOUGH)
    up = project.begin("up")
    up.says("Ctrl-C ends it")
    pid = project.stack.info.services["a"].pid
    up.interrupt()
    up.says("Ctrl-C again kills")
    assert lives(pid)
    up.interrupt()
    up.end()
    assert not lives(pid)


def test_a_killed_up_takes_its_stack_with_it(project: Project):
    project.describe(TWO)
    up = project.begin("up")
    up.says("Ctrl-C ends it")
    info = project.stack.info
    up.process.kill()
    up.end()
    eventually("all are gone", lambda: not any(lives(s.pid) for s in info.services.values()) and not lives(info.pid))


def test_up_notices_when_its_supervisor_is_killed(project: Project):
    project.describe(TWO)
    up = project.begin("up")
    up.says("Ctrl-C ends it")
    os.kill(project.stack.info.pid, signal.SIGKILL)
    assert up.end() == 2
    assert "the stack's supervisor was ended" in up.lines[-1]


def test_up_ends_well_when_another_terminal_says_down(project: Project):
    project.describe(TWO)
    up = project.begin("up")
    up.says("Ctrl-C ends it")
    assert project.run("down").stdout == "Stack 'default' is stopped.\n"
    assert up.end() == 0
    assert up.lines[-1] == "Stack 'default' was stopped."


def test_a_service_that_dies_at_start_is_the_commands_failure(project: Project):
    project.describe('services: {a: {command: ["sh", "-c", "echo first; echo my last word >&2; exit 7"]}}')
    done = project.run("up")
    assert done.returncode == 7
    assert done.stderr.splitlines() == [
        "  | first",
        "  | my last word",
        f"qiki: a died at start (exit code 7); its log: {project.stack.folder.log('a')}",
    ]


# Detached


def test_a_detached_stack_is_seen_driven_and_ended(project: Project):
    project.describe(TWO)
    done = project.run("up", "-d")
    assert done.returncode == 0, done.stderr
    assert "qiki down" in done.stdout
    head, db, web = project.run("ps").stdout.splitlines()
    assert head.split() == ["SERVICE", "STATE", "HEALTH", "PID", "PORTS", "RESTARTS", "UPTIME"]
    info = project.stack.info
    assert db.split()[:6] == [
        "db",
        "running",
        "healthy",
        str(info.services["db"].pid),
        str(info.port("DB_PORT")),
        "0",
    ]
    assert web.split()[:3] == ["web", "running", "-"]
    assert project.run("restart", "web").stdout.startswith("web is ready again after ")
    assert project.stack.info.services["web"].pid != info.services["web"].pid
    assert project.run("logs", "web", "-n", "1").stdout == "web | web is here\n"
    assert set(project.run("logs").stdout.splitlines()) >= {"db   | db is here", "web  | web is here"}
    assert project.run("down").returncode == 0
    assert not project.stack.alive
    assert project.run("logs", "web", "-n", "1").stdout == "web | web is here\n"
    assert project.run("down").stdout == "No stack 'default' runs.\n"


@pytest.mark.parametrize("start", ["fork", "exec"])
def test_what_a_run_leaves_is_its_users_alone(project: Project, start: str):
    """With any umask of the user: logs, `stack.json`, sockets, and what services write."""
    project.describe("""
        services:
          made:
            command: ["sh", "-c", "mkdir -p $${DATA}/inner; echo secret >$${DATA}/inner/file; exec sleep 600"]
            environment: {DATA: "${DATA_DIR:-/data}"}
            volumes: ["made:${DATA_DIR:-/data}"]
            healthcheck: {interval: 1s, start_period: 20s, start_interval: 10ms,
              test: "test -e ${DATA_DIR:-/data}/inner/file"}
    """)
    project.environment |= {"QIKI_START": start}
    before = os.umask(0)
    try:
        assert project.run("up", "-d").returncode == 0
    finally:
        os.umask(before)
    folder = project.folder / ".qiki" / "default"
    found = [folder, *folder.rglob("*")]
    assert {path.name for path in found} >= {"stack.json", "made.log", "qiki.log", "control.sock", "file", "data"}
    assert [path for path in found if path.stat().st_mode & 0o077] == []


def test_a_reader_that_leaves_ends_no_detached_stack(project: Project):
    project.describe(TWO)
    words = " ".join(shlex.quote(word) for word in [*QIKI, "up", "-d"])
    line = f"{words} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False,
        timeout=DEADLINE_S,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert all(status.ready for status in project.stack.info.services.values())
    shown = f"{' '.join(shlex.quote(word) for word in [*QIKI, 'logs', '-f'])} | head -n 1; exit ${{PIPESTATUS[0]}}"
    project.begin("restart", "web")
    ended = subprocess.run(
        ["bash", "-c", shown], cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False,
        timeout=DEADLINE_S,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_logs_can_be_followed(project: Project):
    project.describe(TWO)
    project.run("up", "-d")
    follow = project.begin("logs", "-f", "-n", "1", "db")
    eventually("it has begun", lambda: follow.lines == ["db | db is here"])
    project.stack.kill("db")
    eventually("it shows what is new", lambda: follow.lines == ["db | db is here"] * 2)
    project.run("down")
    assert follow.end() == 0


def test_up_beside_a_running_stack(project: Project):
    project.describe(TWO)
    project.run("up", "-d")
    again = project.run("up", "-d")
    assert again.returncode == 2
    assert "stack 'default' runs already" in complaint(again)
    assert project.run("up", "-d", "--name", "other").returncode == 0
    assert project.run("ps", "--name", "other").returncode == 0
    assert project.run("down", "--name", "other").returncode == 0
    assert project.stack.alive


def test_what_is_left_out_is_told_how_to_run(project: Project):
    project.describe(TWO)
    done = project.run("up", "-d", "--without", "db")
    assert done.returncode == 0, done.stderr
    folder = project.folder
    assert done.stdout.splitlines()[:2] == [
        f"Run db yourself (variables also in {folder}/.qiki/default/db.env):",
        f"  cd {folder} && sh -c 'echo db is here; touch db-is-up; {STAY}'",
    ]
    assert "these wait: web" in done.stdout


def test_choices_reach_the_services(project: Project):
    variables = ("QIKI_SCENARIO", "QIKI_SEED", "QIKI_SPEED", "QIKI_RUN_ID", "A_PORT")
    shown = " ".join(f"$${name}" for name in variables)
    project.describe(f"""
        services:
          a:
            command: ["sh", "-c", "echo {shown}; {STAY}"]
            ports: ["${{A_PORT:-4000}}:4000"]
            environment:
              QIKI_SCENARIO: "${{QIKI_SCENARIO:-x}}"
              QIKI_SEED:
              QIKI_SPEED:
              QIKI_RUN_ID:
              A_PORT: "${{A_PORT:-4000}}"
    """)
    (project.folder / "world.yaml").write_text("{name: calm, description: Nothing, seed: 1}")
    run_id = str(UUID(int=7))
    choices = ["--scenario", "world.yaml", "--seed", "3", "--speed", "2.5", "--run-id", run_id]
    done = project.run("up", "-d", "--ports", "auto", *choices)
    assert done.returncode == 0, done.stderr
    port = project.stack.info.port("A_PORT")
    assert project.stack.logs("a") == (f"{project.folder}/world.yaml 3 2.5 {run_id} {port}",)


# Mistakes


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["restart", "db"], "no stack 'default' runs in"),
        (["watch"], "no stack 'default' runs in"),
        (["logs"], "no stack 'default' runs in"),
        (["up", "--port", "X"], "--port X: expected VARIABLE=N"),
        (["up", "--port", "X=4000"], "no port 'X' here: there are DB_PORT"),
        (["up", "--without", "x"], "no service 'x' here: there are db, web"),
        (["up", "--seed", "x"], "Invalid value for '--seed'"),
        (["up", "--seed", "-1"], "--seed -1: Input should be greater than or equal to 0"),
        (["up", "--speed", "0"], "--speed 0.0: Input should be greater than"),
        (["up", "--run-id", "7"], "--run-id 7: Input should be a valid UUID"),
        (["up", "--scenario", "no-such"], "--scenario: no scenario is called 'no-such'"),
        (["up", "--scenario", "./no-such.yaml"], "no-such.yaml: cannot be read: No such file or directory"),
        (["up", "--name", "a/b"], "'a/b' cannot name a stack"),
        (["up", "--file", "none.yml"], "none.yml: cannot be read"),
        (["dance"], "No such command 'dance'"),
        (["scenario", "check", "no-such"], "no scenario is called 'no-such'"),
        (["scenario", "check", "./no-such.yaml"], "no-such.yaml: cannot be read: No such file or directory"),
        (["spec", "check", "no-such.yaml"], "no-such.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(project: Project, words: list[str], reason: str):
    project.describe(TWO)
    done = project.run(*words)
    assert done.returncode == 2
    assert reason in complaint(done)
    assert not (project.folder / ".qiki/default/logs").exists(), "something was started"


def test_without_a_stack_ps_has_a_status_of_its_own_and_down_has_nothing_to_do(project: Project):
    project.describe(TWO)
    shown = project.run("ps")
    assert (shown.returncode, shown.stdout) == (3, "")
    assert "no stack 'default' runs in" in complaint(shown)
    ended = project.run("down")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "No stack 'default' runs.\n", "")
    for command, status in (("ps", "Exit status 3"), ("down", "Exit status 0")):
        assert status in project.run(command, "--help").stdout


def test_a_compose_file_with_a_strange_key_is_named_by_line(project: Project):
    project.describe("services:\n  a:\n    command: x\n    secrets: [s]\n")
    assert "docker-compose.phase1.yml:4: services.a.secrets: the native runner does not know" in complaint(
        project.run("up")
    )


def test_a_service_that_is_not_there_is_named(project: Project):
    project.describe(TWO)
    project.run("up", "-d")
    assert "no service 'x' here: there are db, web" in complaint(project.run("restart", "x"))
    assert "no service 'x' here: there are db, web, qiki" in complaint(project.run("logs", "x"))


# The rest


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["up"],
        ["ps"],
        ["logs"],
        ["restart"],
        ["down"],
        ["watch"],
        ["doctor"],
        ["scenario"],
        ["scenario", "check"],
        ["spec"],
        ["events"],
    ],
)
def test_every_command_explains_itself(project: Project, words: list[str]):
    done = project.run(*words, "--help")
    assert done.returncode == 0
    assert "Usage: qiki" in done.stdout


def test_the_command_starts_lean():
    """What takes long to import is imported by the commands that use it."""
    script = "import sys, qiki_harness.cli; print(*sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"asyncio", "nats", "numpy", "psutil", "pydantic", "rich", "yaml"} & set(modules)


def test_scenarios_are_listed_and_checked(project: Project):
    listed = project.run("scenario", "list").stdout.splitlines()
    assert listed[0].split() == ["SCENARIO", "CONTACTS", "WHAT"]
    assert "mixed-traffic" in {line.split()[0] for line in listed}
    assert project.run("scenario", "check", "mixed-traffic").stdout.startswith("mixed-traffic is valid: ")


def test_how_far_a_scenarios_radar_sees(project: Project):
    (project.folder / "short.yaml").write_text("name: short\ndescription: d\nradar: {max_range_m: 9000}\n")
    lines = project.run("scenario", "radar", "./short.yaml").stdout.splitlines()
    assert lines[0].endswith("Range: 14.99 to 9000 m.")
    assert lines[-5].split() == ["DRONE", "1", "m²", "9000", "m", "6575", "m"]


def test_doctor_says_what_is_there_and_what_is_missing(project: Project):
    project.describe(TWO)
    done = project.run("doctor")
    # A folder with nothing but a compose file has no locks.
    assert done.returncode == 1
    assert f"✓ Python 3.{sys.version_info.minor}" in done.stdout
    assert "✗ " in done.stdout
    assert "the checkout is not whole: git status" in done.stdout
    assert "Python" not in project.run("doctor", "--quiet").stdout


# Watching


async def publish(url: str, track: dict[str, object]) -> None:
    client = await nats.connect(url)
    await client.publish(topics.TRACKS.subject, json.dumps(track).encode(), headers={headers.RUN: "a run"})
    await client.publish(topics.TRACKS.subject, b"no track")
    await client.close()


def publish_until(url: str, seen: Callable[[], bool]) -> None:
    """Publish a track again and again until the watcher shows it: a plain subscription may come later."""

    def again() -> bool:
        asyncio.run(publish(url, TRACK))
        return seen()

    eventually("the track is shown", again)


def test_watch_shows_tracks_as_lines_and_survives_the_broker(project: Project):
    project.describe(BROKER)
    project.run("up", "-d", "--ports", "auto")
    stack = project.stack
    url = stack.info.addresses["NATS_URL"]
    watch = project.begin("watch")
    publish_until(url, lambda: any("abcdef01" in line for line in list(watch.lines)))
    assert "00:00:00.0 abcdef01 drone foe tracked 1234.5 45.0 -3.0 -12.0 0.50 7" in watch.lines
    watch.says(" messages were no tracks | agent: silent | nats running healthy")
    stack.stop_service("nats")
    watch.says(f"waiting for NATS at {url}")
    stack.start_service("nats")
    watch.lines.clear()
    watch.says("1 tracks, connected, ")
    watch.interrupt()
    assert watch.end() == 0


def test_watch_of_a_stack_that_is_not_ours(project: Project, monkeypatch: pytest.MonkeyPatch):
    project.describe(BROKER)
    project.run("up", "-d", "--ports", "auto", "--name", "elsewhere")
    url = Stack(project.folder / ".qiki" / "elsewhere").info.addresses["NATS_URL"]
    watch = project.begin("watch", "--nats", url)
    publish_until(url, lambda: any("abcdef01" in line for line in list(watch.lines)))
    watch.interrupt()
    assert watch.end() == 0


def test_watch_on_a_terminal_of_80_columns(project: Project):
    project.describe(BROKER)
    project.run("up", "-d", "--ports", "auto")
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(project.folder)
        os.execvpe(QIKI[0], [*QIKI, "watch"], {**project.environment, "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.set_blocking(terminal, False)
    screen = bytearray()

    def seen() -> bool:
        with contextlib.suppress(BlockingIOError):
            screen.extend(os.read(terminal, 1 << 16))
        return b"1234.5" in screen

    publish_until(project.stack.info.addresses["NATS_URL"], seen)
    os.kill(pid, signal.SIGINT)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(terminal)
    row = next(line for line in screen.decode().splitlines() if "1234.5" in line)
    assert all(words in row for words in ("abcdef01", "drone", "foe", "tracked", "1234.5", "45.0", "-12.0", "0.50"))
