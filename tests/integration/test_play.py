"""A recording is published again on a broker of its own, where clients of a stack read it unchanged."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from qiki.contracts import topics
from qiki.contracts.control import ControlAck
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.testing import until
from qiki_harness.twin import ForeignStack, Twin
from qiki_harness.twin.where import above

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
SECONDS = 12.0
LAST = 119  # frame
KEPT = (topics.FRAMES, topics.TRACKS, topics.TRACKED, topics.ESTIMATES, topics.ORDERS, topics.RUNS)


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("play") / "run.mcap"
    record_flight(Flight(load_scenario("collision")), SECONDS, path)
    return path


@contextmanager
def played(path: Path, folder: Path, *words: str) -> Iterator[Twin]:
    """`qiki play`, and a twin on its broker."""
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"}
    command = [*QIKI, "play", str(path), "--run-dir", str(folder), *words]
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        url = re.search(r"NATS_URL=(\S+)", process.stdout.readline())
        assert url, process.communicate()
        assert any("plays run" in line for line in process.stdout)
        keys = str(folder / "play/data/keys-tests")
        with closing(
            Twin(ForeignStack({"NATS_URL": url[1], "QSIM_GRPC": "127.0.0.1:9", "TESTS_KEYS_DIR": keys}))
        ) as twin:
            yield twin
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.communicate()


def command(twin: Twin, name: str, **parameters: object) -> ControlAck:
    """Send a command to the player, as to a simulator."""
    message_id = str(uuid4())
    body = {"command_name": name, "parameters": parameters, "metadata": {"message_id": message_id, "source": "test"}}
    twin.publish(topics.COMMANDS.subject, json.dumps(body).encode())
    return twin.await_acknowledgement(request_id=message_id).data


def test_streams_hold_what_was_recorded_and_live_subjects_pass(flown: Path, tmp_path: Path):
    with played(flown, tmp_path, "--speed", "6") as twin:
        twin.await_tracked_frame(frame=LAST)
        twin.await_truth(frame=LAST)
        first = twin.truth()[0].data.frame
        assert [record.data.frame for record in twin.truth()] == list(range(first, LAST + 1))
        wanted = [one.message for one in Recording(flown).messages({topic.subject for topic in KEPT})]
        until("all is stored", lambda: sum(len(twin.history(topic)) for topic in KEPT) >= len(wanted))
        found = [record for topic in KEPT for record in twin.history(topic)]
        key = lambda one: (one.subject, one.headers["Nats-Msg-Id"], one.body)
        assert sorted(map(key, found)) == sorted(map(key, wanted))


def test_it_is_paced_by_event_time_and_obeys_an_operator(flown: Path, tmp_path: Path):
    with played(flown, tmp_path, "--from", "4") as twin:
        run = twin.await_tracked_frame(frame=above(40)).run
        assert {record.frame for record in twin.tracked_frames()} >= set(range(40))  # the past is there
        assert command(twin, "sim.pause").ok
        held = twin.now()
        newest = twin.tracked_frames()[-1].frame
        assert newest < 100
        refused = command(twin, "sim.step", ticks=3)
        assert not refused.ok
        assert refused.error_detail is not None
        assert "a recording obeys sim.pause, sim.start and play.seek" in refused.error_detail.message
        assert len(twin.tracked_frames(after=held)) <= 1
        assert command(twin, "sim.start", speed=50.0).ok
        twin.await_tracked_frame(frame=LAST)

        assert not command(twin, "play.seek", t_s="soon").ok
        before = twin.now()
        assert command(twin, "play.seek", t_s=2.0).ok
        again = twin.await_tracked_frame(after=before, frame=LAST)
        assert again.run != run
        assert again.data.run_id == again.run
        assert all(record.run == again.run for record in twin.tracked_frames(after=before))

        def tracks() -> bool:
            return sum(record.frame == LAST for record in twin.tracks(after=before)) == again.data.tracks

        until("its tracks", tracks)


def test_a_loop_is_a_run_of_its_own_each_time(flown: Path, tmp_path: Path):
    with played(flown, tmp_path, "--speed", "20", "--loop") as twin:

        def laps() -> list[str]:
            return list(dict.fromkeys(record.data.run_id for record in twin.truth()))

        until("three whole laps", lambda: len(laps()) >= 4)
        for run_id in laps()[1:3]:
            assert [record.data.frame for record in twin.truth(run_id=run_id)] == list(range(LAST + 1))
