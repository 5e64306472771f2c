"""A full disk under a stack shows on every service, and all goes on by itself when there is room again."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from qiki.runtime import probe
from qiki_harness.errors import StackError
from qiki_harness.stack import Stack, StackInfo, StackOptions
from qiki_harness.testing import until
from qiki_harness.twin import ForeignStack, Twin, start_twin
from qiki_harness.twin.checks import check_frames, check_tracks, settle

CLIENTS = ("q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "qiki-dev")
COMPOSE = """
services:
  kept: {command: ["sh", "-c", "exec sleep 600"], restart: unless-stopped}
"""
FOLLOWERS = {"faststream-bridge", "q-sim-radar"}


@pytest.fixture
def small_disk(mounted: Callable[[int], Path]) -> Path:
    """A file system of 128 MB."""
    return mounted(128)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no byte free for as long as the context lasts."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert os.statvfs(disk).f_bavail == 0
    yield
    filler.unlink()


def problems(info: StackInfo, service: str) -> dict[str, str]:
    """What a service's readiness page says now: `stack.json` cannot be written."""
    found: dict[str, str] = json.loads(probe.ask(f"{info.http_url(service)}/readyz")[2]).get("waiting_for", {})
    return found


def lives(info: StackInfo) -> dict[str, int | None]:
    return {name: status.pid for name, status in info.services.items() if name != "nats"}


@pytest.mark.parametrize("killed", [(), ("nats",), ("registrar", "qiki-dev")], ids=str)
def test_a_full_disk_shows_on_every_service_and_all_goes_on_when_there_is_room(small_disk, killed):
    with closing(start_twin(small_disk / "stack", speed=5, env={"QIKI_AUTOSTART": "true"})) as twin:
        before = twin.stack.info
        run = twin.await_tracked_frame(after=twin.now()).run
        twin.await_tracked_frame(run=run, frame=20)

        with full(small_disk):
            for service in CLIENTS:
                said = until(f"{service} to be unready", lambda: problems(before, service).get("storage"))  # noqa: B023
                assert said == "NATS stores nothing: no space left on device"
            acknowledged = {record.message_id for record in twin.frames()}
            for service in killed:
                twin.stack.kill(service)

        moment = twin.now()
        newest = twin.await_tracked_frame(after=moment, run=run)
        twin.await_tracked_frame(run=run, frame=newest.frame + 20)
        twin.stack.wait_until("stack.json is written again", lambda info: info.services["nats"].restarts > 0, 30)
        twin.await_ready()
        assert twin.command("sim.pause").ok
        after = twin.stack.info
        ended = {name for name, pid in lives(before).items() if lives(after)[name] != pid}
        # A broker that cannot write loses at its restart what it had delivered: its readers end and start again.
        assert set(killed) - {"nats"} <= ended <= set(killed) - {"nats"} | FOLLOWERS
        with closing(Twin(ForeignStack(after.addresses), look_back=timedelta(hours=1))) as reader:
            settle(reader)
            frames = reader.frames()
            assert acknowledged <= {record.message_id for record in frames}  # the last ones perhaps in other places
            last = max(record.frame for record in frames)
            check_frames(reader, run, last)
            check_tracks(reader, run, last)


def test_a_detached_stack_outlives_a_full_disk_and_its_log_says_when_there_is_room(small_disk, tmp_path):
    (tmp_path / "stack.yml").write_text(COMPOSE)
    folder = small_disk / "run"
    stack = Stack.start(StackOptions(tmp_path / "stack.yml", folder), tied=False)
    try:
        before = stack.wait_healthy(60)
        written = stack.folder.info_file.read_bytes()
        with full(small_disk):
            kept = psutil.Process(before.services["kept"].pid)
            stack.kill("kept")  # its next life is news that cannot be written
            supervisor = psutil.Process(before.pid)
            until("the next life", lambda: any(one.name() == "sleep" and one != kept for one in supervisor.children()))
            with pytest.raises(StackError, match="no service 'x'"):
                stack.restart("x")  # it answers
            assert stack.folder.info_file.read_bytes() == written
            empty = {path.name for path in folder.iterdir() if path.stat().st_size == 0}
            assert empty == {"supervisor.lock", "control.sock"}
        stack.wait_until("stack.json is written again", lambda info: info.services["kept"].restarts == 1, 60)
        assert stack.info.pid == before.pid
        until("the log to say so", lambda: any("is written again" in line for line in stack.logs("qiki")))
        assert not [path for path in folder.iterdir() if path.suffix in {".part", ".new"}]
    finally:
        stack.stop()
