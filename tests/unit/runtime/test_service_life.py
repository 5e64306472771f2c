"""The life of a service, with real processes: how it ends and what it says then."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiki.errors import UserError
from qiki.runtime import service

BEGINNING = """
import asyncio
from qiki.errors import UserError
from qiki.runtime import service as runtime
from qiki.runtime.settings import ServiceSettings

async def main(service):
"""
END = """
runtime.run_service("example", ServiceSettings, main)
"""
START_S = 20.0
Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Start a service whose main coroutine is this."""
    running: list[subprocess.Popen[str]] = []

    def start(main: str, beginning: str = "", **environment: str) -> "subprocess.Popen[str]":
        script = tmp_path / "example.py"
        script.write_text(beginning + BEGINNING + "\n".join(f"    {line}" for line in main.splitlines()) + END)
        process = subprocess.Popen(
            [sys.executable, script],
            env=os.environ | {"QIKI_HTTP_HOST": "127.0.0.1", "QIKI_HTTP_PORT": "0", "LOG_LEVEL": "INFO"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def wait_for(process: "subprocess.Popen[str]", event: str) -> dict[str, object]:
    """The log's line about `event`."""
    assert process.stderr is not None
    for text in process.stderr:
        line: dict[str, object] = json.loads(text)
        if line["event"] == event:
            return line
    raise AssertionError(f"ended without saying {event!r}")


DRAINS = """
service.log.info("works")
await service.stopping.wait()
await asyncio.sleep(0)
service.log.info("stored what it held")
print("last words")
"""


def test_what_made_its_start_quick_is_over_when_it_runs(spawn: Spawn):
    process = spawn(
        "import gc, sys\n"
        'service.log.info("looks", garbage=gc.isenabled(), kept=gc.get_freeze_count(), rich="rich" in sys.modules)',
        beginning="import qiki.runtime.lean\n",
    )
    line = wait_for(process, "looks")
    assert (line["garbage"], line["rich"]) == (True, False)
    assert line["kept"] > 10_000


def test_told_to_stop_it_drains_and_ends_well(spawn: Spawn):
    process = spawn(DRAINS)
    first = wait_for(process, "started")
    assert (first["service"], first["level"]) == ("example", "info")
    assert isinstance(first["http_port"], int)
    wait_for(process, "works")
    process.send_signal(signal.SIGTERM)
    said, log = process.communicate(timeout=START_S)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["stored what it held", "stopped"]
    assert said == "last words\n"


def test_a_bug_keeps_its_traceback(spawn: Spawn):
    """A timeout of ours is no late drain."""
    process = spawn("raise TimeoutError('of ours')")
    log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 1
    last = json.loads(log.splitlines()[-1])
    assert last["event"] == "ended by a bug"
    assert "Traceback" in last["exception"]
    assert "of ours" in last["exception"]


def test_what_the_user_can_mend_is_one_line(spawn: Spawn):
    process = spawn("raise ExceptionGroup('', [UserError('FILE:3: x: wrong')])")
    log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 2
    assert log.splitlines()[1:] == ["example: FILE:3: x: wrong"]


MINE, OURS = UserError("FILE:3: x: wrong"), KeyError("of ours")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (MINE, MINE),
        (OURS, None),
        (ExceptionGroup("", [ExceptionGroup("", [MINE])]), MINE),
        (ExceptionGroup("", [MINE, OURS]), None),
    ],
)
def test_a_users_error_beside_a_bug_is_a_bug(error: Exception, fault: UserError | None):
    assert service._user_error(error) is fault


def test_a_wrong_setting_is_one_line(spawn: Spawn):
    process = spawn("return", QIKI_HTTP_PORT="x")
    log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 2
    assert log.startswith("example: wrong setting: QIKI_HTTP_PORT: ")
    assert log.count("\n") == 1


def test_a_port_in_use_is_one_line(spawn: Spawn):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = spawn("return", QIKI_HTTP_PORT=str(port))
        log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 2
    assert log == f"example: QIKI_HTTP_PORT: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_what_only_a_new_process_can_mend_ends_it_at_once_in_one_line(spawn: Spawn):
    """Whatever its work makes of that."""
    process = spawn("service.fail('refused', reason='too long')\n" + DEAF.strip())
    log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 1
    (told,) = (line for line in map(json.loads, log.splitlines()) if line["level"] == "error")
    assert (told["event"], told["reason"]) == ("refused", "too long")


DEAF = """
service.log.info("works")
while True:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass
"""


def test_who_does_not_drain_in_time_is_cut_off(spawn: Spawn):
    """Also one that will not be cancelled."""
    process = spawn("runtime.DRAIN_S = 0.1\n" + DEAF.strip())
    wait_for(process, "works")
    process.terminate()
    log = process.communicate(timeout=START_S)[1]
    assert process.returncode == 1
    assert [json.loads(line)["event"] for line in log.splitlines()] == ["not drained in time"]
