"""A process and its group are signalled only while their number is theirs."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from qiki_harness.stack import guardian, leader
from qiki_harness.stack.leader import Leader, start_leader
from qiki_harness.testing import until

LEAVES_A_CHILD = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.exit(3)"
FOLDER = Path("/")


@pytest.fixture(params=["descriptor", "thread"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "thread":
        monkeypatch.setattr(leader, "_pidfd", lambda _: None)
    return request.param


def start(program: str, output: int) -> Leader:
    return start_leader([sys.executable, "-c", program], folder=FOLDER, environment=dict(os.environ), output=output)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_it_started_ends_before_its_number_is_free(way: str, monkeypatch: pytest.MonkeyPatch):
    """Every signal to a group finds its leader not reaped yet."""
    reading, writing = os.pipe()
    states: list[str] = []
    original = os.killpg

    def watched(group: int, number: int) -> None:
        states.append(psutil.Process(group).status())  # NoSuchProcess if the number were free
        original(group, number)

    monkeypatch.setattr(os, "killpg", watched)

    async def live() -> int:
        process = start(LEAVES_A_CHILD, writing)
        status = await asyncio.wait_for(process.wait(), 30)
        process.kill_group()  # nothing any more
        with pytest.raises(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        return status

    assert asyncio.run(live()) == 3
    assert states == [psutil.STATUS_ZOMBIE]
    child = int(os.read(reading, 100))
    until("the child to be gone", lambda: gone(child))
    os.close(reading)
    os.close(writing)


def test_signals_reach_it_and_its_group(way: str):
    async def live() -> list[int]:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        found = []
        for end in (lambda one: one.send_signal(signal.SIGTERM), Leader.kill_group):
            process = start("import signal; signal.pause()", nowhere)
            end(process)
            found.append(await asyncio.wait_for(process.wait(), 30))
        os.close(nowhere)
        return found

    assert asyncio.run(live()) == [-signal.SIGTERM, -signal.SIGKILL]


def test_the_guardian_kills_what_a_leader_left_that_others_have_reaped():
    """Its number is no longer needed for that, so that it may belong to another by then."""
    descriptor_of = guardian._descriptor
    program = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    descriptor = descriptor_of(process.pid)
    assert process.stdout
    child = int(process.stdout.readline())
    assert process.stdin
    process.stdin.close()
    process.wait(30)  # reaped
    process.stdout.close()
    if descriptor is None:
        pytest.skip("takes descriptors of processes: Linux")
    try:
        guardian._kill(process.pid, descriptor)
        until("the child to be gone", lambda: gone(child))
        with pytest.raises(ProcessLookupError):
            descriptor_of(process.pid)
    finally:
        os.close(descriptor)


def test_the_guardian_touches_no_group_that_has_the_number_of_one_that_is_gone(monkeypatch: pytest.MonkeyPatch):
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    descriptor = guardian._descriptor(process.pid)
    process.kill()
    process.wait()
    if descriptor is None:
        pytest.skip("takes descriptors of processes: Linux")
    other = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        with pytest.raises(ProcessLookupError):
            guardian._kill(other.pid, descriptor)  # as if the number were the other's now
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
        os.close(descriptor)
