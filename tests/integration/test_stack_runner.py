"""The stack runner with real processes: small services from compose files of the tests' own."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from qiki.runtime import probe
from qiki_harness.errors import DeadlineError, HarnessError, StackError, StartFailedError
from qiki_harness.stack import ServiceHealth, Stack, StackInfo, StackOptions, StackState, State
from qiki_harness.stack.guardian import Guardian

DEADLINE_S = 60.0
STAY = "exec sleep 600"
HEALTH = "{interval: 100ms, timeout: 5s, retries: 2, start_period: 20s, start_interval: 10ms, test: %s}"

Starter = Callable[..., Stack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts stacks from compose text, each in a folder of its own, and stops them at the end."""
    started: list[Stack] = []

    def run(text: str, folder: str = "run", **options: object) -> Stack:
        file = tmp_path / "compose.yml"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        stack = Stack.start(StackOptions(file, tmp_path / folder, **{"auto_ports": True, **options}))
        started.append(stack)
        return stack

    yield run
    for stack in started:
        stack.stop(DEADLINE_S)


def eventually(what: str, condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pids(info: StackInfo) -> list[int]:
    return [status.pid for status in info.services.values() if status.pid]


def read_pid(file: Path) -> int:
    eventually(f"{file.name} is written", lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def test_services_start_when_what_they_need_is_true(start: Starter):
    stack = start(f"""
        services:
          web:
            command: ["sh", "-c", "test -e db-is-up && test -e made && echo serving && {STAY}"]
            depends_on: {{init: {{condition: service_completed_successfully}}, db: {{condition: service_healthy}}}}
          init:
            command: ["sh", "-c", "test -e db-is-up && touch made"]
            depends_on: {{db: {{condition: service_healthy}}}}
          db:
            command: ["sh", "-c", "sleep 0.2; touch db-is-up; {STAY}"]
            healthcheck: {HEALTH % "test -e db-is-up"}
    """)
    info = stack.wait_healthy(DEADLINE_S)
    services = info.services
    states = [services[name].state for name in ("db", "init", "web")]
    assert states == [State.RUNNING, State.EXITED, State.RUNNING]
    assert services["db"].health is ServiceHealth.HEALTHY
    assert services["init"].held_by == "db"
    assert services["web"].held_by == "init"
    db, init, web = (services[name].ready_after_s or 0 for name in ("db", "init", "web"))
    assert 0.2 <= db < init < web
    assert stack.logs("web") == ("serving",)


def test_a_service_gets_its_variables_ports_and_folder(start: Starter, tmp_path: Path):
    stack = start(
        """
        services:
          a:
            working_dir: ${DIR:-/workspace}
            command: ["sh", "-c", "echo $$A_PORT $$GREETING $$PWD; echo $$STORE >&2"]
            environment: {A_PORT: "${A_PORT:-4000}", GREETING: "${GREETING:-none}", STORE: "${STORE:-/data}"}
            ports: ["127.0.0.1:${A_PORT:-4000}:4000"]
            volumes: ["store:${STORE:-/data}"]
        x-addresses: {A_URL: "a://${A_HOST:-a}:${A_PORT:-4000}"}
        """,
        variables={"GREETING": "hello"},
    )
    info = stack.wait_healthy(DEADLINE_S)
    port = info.port("A_PORT")
    assert info.services["a"].state is State.EXITED
    assert stack.logs("a") == (f"{port} hello {tmp_path}", str(tmp_path / "run" / "data" / "store"))
    assert info.addresses == {"A_URL": f"a://127.0.0.1:{port}"}


def test_what_is_stored_outlives_the_stack_and_logs_do_not(start: Starter):
    text = """
        services:
          a:
            command: ["sh", "-c", "mkdir -p $$STORE; echo x >> $$STORE/file; wc -l < $$STORE/file"]
            environment: {STORE: "${STORE:-/data}"}
            volumes: ["store:${STORE:-/data}"]
    """
    for count in ("1", "2"):
        stack = start(text)
        stack.wait_healthy(DEADLINE_S)
        assert [line.strip() for line in stack.logs("a")] == [count]
        stack.stop()


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ('["sh", "-c", "echo early; exit 0"], healthcheck: {test: "exit 1"}', 0, ("early",)),
        ('["sh", "-c", "echo one; echo two >&2; exit 3"]', 3, ("one", "two")),
        ('["sh", "-c", "kill -KILL $$$$"]', 137, ()),
        ('["no-such-command"]', 127, ("no-such-command: No such file or directory",)),
    ],
)
def test_a_service_that_dies_at_start_fails_it_with_its_last_words(
    start: Starter, command: str, status: int, words: tuple[str, ...]
):
    stack = start(f"""
        services:
          other: {{command: ["sh", "-c", "{STAY}"]}}
          bad: {{command: {command}, restart: unless-stopped, depends_on: [other]}}
    """)
    with pytest.raises(StartFailedError, match=rf"bad died at start \(exit code {status}\)") as caught:
        stack.wait_healthy(DEADLINE_S)
    assert caught.value.exit_status == (status or 1)
    assert caught.value.last_words == words
    assert stack.wait_ended(DEADLINE_S) == (status or 1)
    assert stack.info.state is StackState.FAILED
    assert stack.info.services["other"].state is State.STOPPED


def test_a_service_that_does_not_become_healthy_fails_the_start_with_the_probes_words(start: Starter):
    stack = start(f"""
        services:
          a:
            command: ["sh", "-c", "{STAY}"]
            healthcheck: {{interval: 10ms, retries: 2, timeout: 5s, test: "echo not yet; exit 1"}}
    """)
    with pytest.raises(StartFailedError, match="a does not become healthy: not yet"):
        stack.wait_healthy(DEADLINE_S)


def test_a_probe_that_hangs_counts_as_failed(start: Starter, tmp_path: Path):
    stack = start(f"""
        services:
          a:
            command: ["sh", "-c", "{STAY}"]
            healthcheck: {{interval: 10ms, retries: 1, timeout: 200ms, test: "echo $$$$ > probe.pid; {STAY}"}}
    """)
    with pytest.raises(StartFailedError, match=r"a does not become healthy: no answer within 0\.2 s"):
        stack.wait_healthy(DEADLINE_S)
    assert not lives(read_pid(tmp_path / "probe.pid"))


def test_a_wait_that_ends_in_vain_says_how_things_stand(start: Starter):
    stack = start(f"""
        services:
          slow:
            command: ["sh", "-c", "echo thinking; {STAY}"]
            healthcheck: {HEALTH % '"exit 1"'}
          next: {{command: [x], depends_on: {{slow: {{condition: service_healthy}}}}}}
    """)
    eventually("it thinks", lambda: stack.logs("slow"))
    with pytest.raises(DeadlineError) as caught:
        stack.wait_healthy(0.1)
    message = str(caught.value)
    assert "waited 0.1 s until all services are ready: the stack is starting" in message
    assert "next waiting for slow (healthy)" in message
    assert "slow | thinking" in message


def test_a_port_in_use_is_named_before_anything_starts(start: Starter, tmp_path: Path):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        text = 'services: {a: {command: [touch, started], ports: ["${A_PORT:-4000}:4000"]}}'
        with pytest.raises(StackError) as caught:
            start(text, ports={"A_PORT": port})
    assert f"port {port}, which a needs, is in use by" in str(caught.value)
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert "use --port A_PORT=N, or --ports auto" in str(caught.value)
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / "run" / "stack.json").exists()


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("services: {a: {command: x, secrets: [s]}}", {}, "compose.yml:1: services.a.secrets: the native runner does"),
        ("services: {a: {command: x}}", {"without": ("b",)}, "no service 'b' here: there are a"),
        ("services: {a: {command: x}}", {"ports": {"B": 4000}}, "no port 'B' here"),
        ("services: {a: {command: '${X:?say it}'}}", {}, "variable X is required: say it"),
        (
            "services: {a: {command: x, ports: ['${A_PORT:-4000}']}}",
            {"variables": {"A_PORT": "70000"}, "auto_ports": False},
            "A_PORT='70000' in the environment is no port from 1024 to 65535",
        ),
    ],
)
def test_a_stack_that_cannot_be_is_refused_in_a_line(start: Starter, text: str, options: dict[str, object], words: str):
    with pytest.raises(HarnessError) as caught:
        start(text, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_second_stack_in_the_same_folder_is_refused_and_harms_nothing(start: Starter):
    text = f'services: {{a: {{command: ["sh", "-c", "{STAY}"]}}}}'
    first = start(text)
    info = first.wait_healthy(DEADLINE_S)
    with pytest.raises(StackError, match="a stack runs already in"):
        start(text)
    assert first.wait_healthy(DEADLINE_S).services == info.services


def test_stacks_side_by_side_get_ports_of_their_own(start: Starter):
    text = f"""
        services:
          a:
            command: ["sh", "-c", "{STAY}"]
            ports: ["${{A_PORT:-4000}}:4000"]
            expose: ["${{A_HTTP_PORT:-4001}}"]
    """
    infos = [start(text, f"run{i}").wait_healthy(DEADLINE_S) for i in range(2)]
    ports = [port for info in infos for port in info.services["a"].ports.values()]
    assert len(set(ports)) == 4


def test_a_killed_service_is_restarted(start: Starter):
    stack = start(f"""
        services:
          a:
            command: ["sh", "-c", "touch up; {STAY}"]
            restart: unless-stopped
            healthcheck: {HEALTH % "test -e up"}
          b: {{command: ["sh", "-c", "{STAY}"]}}
    """)
    before = stack.wait_healthy(DEADLINE_S).services
    stack.kill("a")
    after = stack.wait_healthy(DEADLINE_S).services
    assert after["a"].pid != before["a"].pid
    assert after["a"].restarts == 1
    assert after["b"] == before["b"]
    assert any("a ended (exit code 137) and is started again at once" in line for line in stack.logs("qiki"))


def test_retries_are_bounded_where_the_policy_says_so(start: Starter):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "{STAY}"], restart: "on-failure:2"}}}}')
    stack.wait_healthy(DEADLINE_S)
    for _ in range(3):
        stack.wait_until("a runs", lambda info: info.services["a"].state is State.RUNNING, DEADLINE_S)
        stack.kill("a")
    info = stack.wait_until("a rests", lambda info: info.services["a"].state is State.EXITED, DEADLINE_S)
    assert (info.services["a"].restarts, info.services["a"].exit_code) == (2, 137)


def test_health_that_is_lost_shows_and_comes_back(start: Starter, tmp_path: Path):
    (tmp_path / "up").touch()
    stack = start(f"""
        services:
          a: {{command: ["sh", "-c", "{STAY}"], healthcheck: {HEALTH % "test -e up"}}}
    """)
    pid = stack.wait_healthy(DEADLINE_S).services["a"].pid
    (tmp_path / "up").unlink()
    stack.wait_until("a is unhealthy", lambda info: info.services["a"].health is ServiceHealth.UNHEALTHY, DEADLINE_S)
    (tmp_path / "up").touch()
    assert stack.wait_healthy(DEADLINE_S).services["a"].pid == pid


def test_services_can_be_stopped_started_and_restarted(start: Starter):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "{STAY}"], restart: always}}}}')
    first = stack.wait_healthy(DEADLINE_S).services["a"]
    stack.stop_service("a")
    assert stack.info.services["a"].state is State.STOPPED
    assert not lives(first.pid or 0)
    stack.start_service("a")
    second = stack.wait_healthy(DEADLINE_S).services["a"]
    stack.restart("a")
    third = stack.wait_healthy(DEADLINE_S).services["a"]
    assert len({first.pid, second.pid, third.pid}) == 3
    assert third.restarts == 0


def test_what_has_ended_or_dies_again_and_again_is_restarted_once_it_is_mended(start: Starter, tmp_path: Path):
    well = tmp_path / "well"
    well.touch()
    stack = start(f"""
        services:
          once: {{command: ["true"], restart: "no"}}
          again: {{command: ["sh", "-c", "test -e well || exit 5; {STAY}"], restart: unless-stopped}}
    """)
    stack.wait_healthy(DEADLINE_S)
    stack.restart("once")
    well.unlink()
    stack.kill("again")
    stack.wait_until("it dies", lambda info: info.services["again"].restarts >= 2, DEADLINE_S)
    with pytest.raises(StackError, match=r"again .* exit code 5"):
        stack.restart("again")
    well.touch()
    stack.restart("again")
    assert stack.info.services["again"].state is State.RUNNING


def test_a_service_that_cannot_be_started_does_not_end_the_others(start: Starter):
    stack = start(f"""
        services:
          a: {{command: ["sh", "-c", "{STAY}"], restart: unless-stopped}}
          b: {{command: ["sh", "-c", "{STAY}"]}}
    """)
    before = stack.wait_healthy(DEADLINE_S).services["b"]
    log = stack.folder.log("a")
    log.unlink()
    log.mkdir()  # nothing can be written there
    stack.kill("a")
    stack.wait_until("it is tried again", lambda info: info.services["a"].restarts >= 2, DEADLINE_S)
    assert any("a cannot be started: " in line for line in stack.logs("qiki"))
    log.rmdir()
    log.parent.rename(log.parent.with_name("away"))
    assert stack.wait_healthy(DEADLINE_S).services["b"] == before


def test_a_status_file_that_cannot_be_written_ends_nothing_and_is_written_again(start: Starter):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "{STAY}"], restart: unless-stopped}}}}')
    stack.wait_healthy(DEADLINE_S)
    obstacle = stack.folder.info_file.with_suffix(".part")
    obstacle.mkdir()  # nobody can write there, root neither
    for _ in range(2):
        stack.kill("a")
    refusals = [line for line in stack.logs("qiki", 50) if "stack.json cannot be written, the old one stays" in line]
    assert len(refusals) == 1
    assert stack.info.services["a"].restarts == 0
    obstacle.rmdir()
    stack.wait_until("it is written again", lambda info: info.services["a"].restarts == 2, DEADLINE_S)
    eventually("it says so", lambda: any("is written again" in line for line in stack.logs("qiki", 50)))


HANGS = """
import threading
from pathlib import Path
from qiki.runtime.service import run_service
from qiki.runtime.settings import ServiceSettings

async def main(service):
    if not Path("hung").exists():
        Path("hung").touch()
        threading.Event().wait()
    await service.stopping.wait()

run_service("example", ServiceSettings, main)
"""


def test_a_service_whose_event_loop_hangs_ends_itself_and_comes_back(start: Starter, tmp_path: Path):
    (tmp_path / "example.py").write_text(HANGS)
    stack = start(f"""
        services:
          a:
            command: ["{sys.executable}", "example.py"]
            environment: {{QIKI_WATCHDOG_SEC: "1", A_PORT: "${{A_PORT:-4000}}", QIKI_HTTP_PORT: "${{A_PORT:-4000}}"}}
            expose: ["${{A_PORT:-4000}}"]
            restart: unless-stopped
          b: {{command: ["sh", "-c", "{STAY}"]}}
    """)
    stack.wait_until("it is started again", lambda info: info.services["a"].restarts == 1, DEADLINE_S)
    (line,) = (json.loads(line) for line in stack.logs("a", 50) if "not alive: ends itself" in line)
    assert (line["status"], line["service"], line["level"]) == ("stuck", "example", "critical")
    assert "threading.Event().wait()" in line["stack"]
    info = stack.wait_healthy(DEADLINE_S)
    eventually("it is alive", lambda: probe.ask(f"http://127.0.0.1:{info.port('A_PORT')}/healthz")[0])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda stack: stack.restart("b"), "no service 'b' here: there are a"),
        (lambda stack: stack.start_service("a"), "a runs already"),
        (lambda stack: stack._request("dance"), "no such request: 'dance'"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(start: Starter, ask: Callable[[Stack], None], words: str):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "{STAY}"]}}}}')
    stack.wait_healthy(DEADLINE_S)
    with pytest.raises(StackError, match=words):
        ask(stack)
    assert stack.wait_healthy(DEADLINE_S).services["a"].state is State.RUNNING


def test_a_restart_that_fails_says_why(start: Starter, tmp_path: Path):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "test ! -e bad || {{ echo broken; exit 5; }}; {STAY}"]}}}}')
    stack.wait_healthy(DEADLINE_S)
    (tmp_path / "bad").touch()
    with pytest.raises(StackError, match="a exited exit code 5: broken"):
        stack.restart("a")
    assert stack.info.services["a"].state is State.EXITED


def test_any_process_can_drive_a_stack_by_its_folder(start: Starter):
    stack = start(f'services: {{a: {{command: ["sh", "-c", "{STAY}"]}}}}', "deep" * 30)
    pid = stack.wait_healthy(DEADLINE_S).services["a"].pid
    other = Stack(stack.folder.path)
    other.restart("a")
    assert other.wait_healthy(DEADLINE_S).services["a"].pid != pid
    other.stop(DEADLINE_S)
    assert not stack.alive


def test_a_service_left_out_is_waited_for_and_can_be_run_by_hand(start: Starter, tmp_path: Path):
    stack = start(
        f"""
        services:
          db:
            command: ["sh", "-c", "echo $$WORD > db-is-up; {STAY}"]
            environment: {{WORD: "two words"}}
            healthcheck: {HEALTH % "test -e db-is-up"}
          web: {{command: ["sh", "-c", "{STAY}"], depends_on: {{db: {{condition: service_healthy}}}}}}
          aside: {{command: ["sh", "-c", "{STAY}"]}}
        """,
        without=("db",),
    )
    info = stack.wait_healthy(DEADLINE_S)
    states = [info.services[name].state for name in ("db", "web", "aside")]
    assert states == [State.EXTERNAL, State.WAITING, State.RUNNING]
    assert (tmp_path / "run" / "db.env").read_text() == "WORD=two words\n"
    with pytest.raises(StackError, match=r"db was left out \(--without\)"):
        stack.restart("db")
    with subprocess.Popen(["/bin/sh", "-c", info.services["db"].by_hand], start_new_session=True) as db:
        stack.wait_until("web runs", lambda now: now.services["web"].state is State.RUNNING, DEADLINE_S)
        os.killpg(db.pid, signal.SIGKILL)
    assert (tmp_path / "db-is-up").read_text() == "two words\n"


TRAPPED = "trap 'echo {name} >> order; exit 0' TERM; touch {name}-up; while :; do sleep 0.01; done"


def test_services_stop_in_reverse_order(start: Starter, tmp_path: Path):
    def service(name: str, needs: str) -> str:
        command = TRAPPED.format(name=name)
        return f'{name}: {{command: ["sh", "-c", "{command}"], healthcheck: {HEALTH % f"test -e {name}-up"}, {needs}}}'

    healthy = "{condition: service_healthy}"
    stack = start(f"""
        services:
          {service("c", f"depends_on: {{b: {healthy}}}")}
          {service("b", f"depends_on: {{a: {healthy}}}")}
          {service("a", "restart: always")}
    """)
    info = stack.wait_healthy(DEADLINE_S)
    stack.stop(DEADLINE_S)
    assert (tmp_path / "order").read_text().split() == ["c", "b", "a"]
    assert not [pid for pid in pids(info) if lives(pid)]
    assert stack.info.state is StackState.STOPPED
    assert stack.wait_ended(DEADLINE_S) == 0


def test_who_does_not_stop_in_his_grace_is_killed(start: Starter):
    stack = start(f"""
        services:
          a:
            command: ["sh", "-c", "trap '' TERM; touch up; while :; do sleep 0.05; done"]
            stop_grace_period: 200ms
            healthcheck: {HEALTH % "test -e up"}
    """)
    info = stack.wait_healthy(DEADLINE_S)
    began = time.monotonic()
    stack.stop(DEADLINE_S)
    assert time.monotonic() - began >= 0.2
    assert not lives(pids(info)[0])


def test_a_service_is_stopped_by_its_own_signal(start: Starter, tmp_path: Path):
    stack = start(f"""
        services:
          a:
            command: ["sh", "-c", "trap 'touch interrupted; exit' USR1; touch up; while :; do sleep 0.01; done"]
            stop_signal: SIGUSR1
            healthcheck: {HEALTH % "test -e up"}
    """)
    stack.wait_healthy(DEADLINE_S)
    stack.stop(DEADLINE_S)
    assert (tmp_path / "interrupted").exists()


def with_grandchild() -> str:
    return f"""
        services:
          a:
            command: ["sh", "-c", "sleep 600 & echo $$! > grandchild; touch up; wait"]
            healthcheck: {HEALTH % "test -e up"}
    """


def test_what_a_service_started_ends_with_it(start: Starter, tmp_path: Path):
    with start(with_grandchild()) as stack:
        stack.wait_healthy(DEADLINE_S)
        grandchild = read_pid(tmp_path / "grandchild")
        assert lives(grandchild)
    eventually("the grandchild is gone", lambda: not lives(grandchild))


def test_a_killed_supervisor_leaves_nothing_behind(start: Starter, tmp_path: Path):
    stack = start(with_grandchild())
    info = stack.wait_healthy(DEADLINE_S)
    family = [*pids(info), read_pid(tmp_path / "grandchild")]
    family += [child.pid for child in psutil.Process(info.pid).children()]
    os.kill(info.pid, signal.SIGKILL)
    eventually("all are gone", lambda: not [pid for pid in family if lives(pid)])
    eventually("the supervisor is known to be gone", lambda: not stack.alive)
    with pytest.raises(StackError, match="the stack's supervisor has ended"):
        stack.wait_until("pigs fly", lambda _: False, DEADLINE_S)
    # What it left in the folder is in nobody's way.
    start(with_grandchild()).wait_healthy(DEADLINE_S)


def test_a_supervisor_killed_at_any_moment_of_the_start_leaves_nothing_behind(start: Starter, tmp_path: Path):
    services = "".join(f'  s{i}: {{command: ["sh", "-c", "echo $$$$ > pid{i}; {STAY}"]}}\n' for i in range(6))
    for i in range(4):
        stack = start(f"services:\n{services}", f"run{i}")
        if i:
            stack.wait_until(f"{i} run", lambda info, n=i: len(pids(info)) >= n, DEADLINE_S)
        os.kill(stack.info.pid, signal.SIGKILL)
        eventually("the supervisor is gone", lambda stack=stack: not stack.alive)
        eventually("its services are gone", lambda: not _living_in(tmp_path))


def _living_in(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder and are not this test."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_the_guardian_alone_ends_process_groups():
    """As on systems where the kernel does not tie a process to its parent."""
    guardian = Guardian()
    with (
        subprocess.Popen(["sh", "-c", f"sleep 600 & {STAY}"], start_new_session=True) as kept,
        subprocess.Popen(["sh", "-c", STAY], start_new_session=True) as forgotten,
    ):
        guardian.watch(kept.pid)
        guardian.watch(forgotten.pid)
        guardian.forget(forgotten.pid)
        guardian.close()
        assert kept.wait(DEADLINE_S) == -signal.SIGKILL
        assert forgotten.poll() is None
        forgotten.kill()


def test_a_stack_ends_with_whoever_started_it_however_he_ends(tmp_path: Path):
    (tmp_path / "c.yml").write_text(textwrap.dedent(with_grandchild()))
    script = f"""
        from pathlib import Path
        from qiki_harness.stack import Stack, StackOptions
        folder = Path({str(tmp_path)!r})
        stack = Stack.start(StackOptions(folder / "c.yml", folder / "run"))
        stack.wait_healthy({DEADLINE_S})
        print("up", flush=True)
        input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == "up\n"
        stack = Stack(tmp_path / "run")
        family = [stack.info.pid, *pids(stack.info), read_pid(tmp_path / "grandchild")]
        starter.kill()
    eventually("all are gone", lambda: not [pid for pid in family if lives(pid)])
    assert stack.info.state is StackState.STOPPED
