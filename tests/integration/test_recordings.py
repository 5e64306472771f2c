"""A running stack is recorded, and its runs are flown again."""

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.flight import Flight
from qiki.flight.digest import run_of
from qiki.world.scenario import load_scenario
from qiki_harness.recording.about import about
from qiki_harness.recording.bundle import record_kept, recordings
from qiki_harness.recording.check import summarise
from qiki_harness.recording.crashloop import RESTARTS
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.layout import DERIVED
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.recorder import Recorder
from qiki_harness.recording.restage import verify_on_stack
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import Verdict, verify
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.stack import Stack
from qiki_harness.testing import ServiceProcess, until
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import NATS_URL, TESTS_KEYS

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
RUN = UUID("5ca1ab1e-0000-4000-8000-000000000011")
BEYOND = 100  # a frame that a run reaches, and some


def record(twin: Twin, path: Path) -> Recorder:
    where = twin.backing.addresses
    return Recorder(RecordingWriter(path, about(where[NATS_URL], None)), where[NATS_URL], where[TESTS_KEYS])


def judge(path: Path) -> Verdict:
    return verify(recorded_run(Recording(path)))


def stored(twin: Twin) -> set[tuple[str, str]]:
    """Subjects and ids of all that the streams keep of the run."""
    kept = [topics.FRAMES, topics.TRACKS, topics.TRACKED, topics.ESTIMATES, topics.GUARD, topics.ORDERS]
    return {(one.subject, one.message_id) for topic in kept for one in twin.history(topic)}


def recorded(path: Path) -> set[tuple[str, str]]:
    """The same of a recording, which may still grow."""
    messages = (one.message for one in Recording(path).messages()) if path.stat().st_size else ()
    return {(one.subject, one.headers.get("Nats-Msg-Id", "")) for one in messages}


def pictures(path: Path) -> dict[str, int]:
    """The number of messages of each derived channel."""
    index = Recording(path).summary
    assert index is not None
    assert index.statistics is not None
    names = {key: channel.topic for key, channel in index.channels.items() if channel.topic.startswith(DERIVED)}
    counts = index.statistics.channel_message_counts
    return {name.removeprefix(DERIVED): counts[key] for key, name in names.items()}


def test_a_run_is_recorded_through_kills_and_flown_again(own_twin, tmp_path: Path):
    twin = own_twin("mixed-traffic", run_id=RUN, speed=4, start=False)
    path = tmp_path / "run.mcap"
    with record(twin, path):
        assert twin.command("sim.rcs.fire", axis="up", pct=60.0, duration_s=1.0).ok
        assert twin.command("sim.start").ok
        for number, service in enumerate(("nats", "q-sim-radar", "faststream-bridge", "nats"), 1):
            twin.await_tracked_frame(frame=40 * number)
            twin.kill(service)
        twin.await_tracked_frame(frame=BEYOND * 2, deadline_s=120)
        assert twin.command("sim.pause").ok
        twin.await_ready()
        until("all that is stored is recorded", lambda: stored(twin) <= recorded(path))
    assert stored(twin) <= recorded(path)
    verdict = judge(path)
    assert verdict.same, verdict.difference
    assert (verdict.first, verdict.run.run_id, verdict.gaps) == (0, str(RUN), ())
    assert verdict.last >= BEYOND * 2 - 1
    missing = [fault for fault in verdict.run.faults if not fault.startswith("truth missing")]
    assert missing == []
    assert summarise(Recording(path)).breaks >= 2


def test_what_the_agent_decides_in_lockstep_is_flown_again_too(own_twin, tmp_path: Path):
    env = {"AGENT_LOCKSTEP_TICKS": "2"}
    twin = own_twin("collision", run_id=RUN, start=False, env=env, without=("qiki-dev",))
    path = tmp_path / "run.mcap"
    with record(twin, path):
        with agent_of(twin):
            twin.await_tracked_frame(frame=150, deadline_s=120)
        twin.await_message(topics.AGENT_STATE)
    verdict = judge(path)
    assert verdict.same, verdict.difference
    assert verdict.groups == ("radar", "truth", "tracker", "guard", "decisions")
    assert verdict.remarks == ()
    assert verdict.frames > 100


@contextmanager
def agent_of(twin: Twin) -> Iterator[None]:
    """An agent that conducts the stack."""
    settings = {"QIKI_DEV_KEYS_DIR": twin.stack.folder.keys("qiki-dev"), "AGENT_LOCKSTEP_TICKS": 2}
    log = twin.stack.folder.path / "agent.log"
    agent = ServiceProcess("q_core_agent", log, **settings, **twin.stack.info.addresses)
    agent.start()
    try:
        yield
    finally:
        agent.terminate()


@contextmanager
def command(twin: Twin, path: Path, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """`qiki record` on a stack, once it records."""
    where = twin.backing.addresses
    environment = os.environ | {"NATS_URL": where[NATS_URL], "QIKI_KEYS_DIR": where[TESTS_KEYS]}
    process = subprocess.Popen(
        [*QIKI, "record", str(path), *words], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("records nats://")
        yield process
    finally:
        process.kill()
        process.communicate()


def keep(twin: Twin, *words: str) -> "subprocess.CompletedProcess[str]":
    """`qiki record --run` on a stack, to its end."""
    where = twin.backing.addresses
    environment = os.environ | {"NATS_URL": where[NATS_URL], "QIKI_KEYS_DIR": where[TESTS_KEYS]}
    command = [*QIKI, "record", "--run", *words]
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60, check=False)


def test_a_run_that_was_reset_is_written_out_of_the_streams_and_flown_again(own_twin, tmp_path: Path):
    twin = own_twin("mixed-traffic", run_id=RUN, speed=4)
    twin.await_tracked_frame(frame=60)
    assert twin.command("sim.xpdr.mode", mode="SILENT").ok
    twin.await_tracked_frame(frame=BEYOND)
    assert twin.command("sim.pause").ok
    last = twin.frames()[-1].frame
    twin.await_tracked_frame(frame=last)
    assert twin.command("sim.reset", scenario="crossing").ok
    assert twin.command("sim.start").ok
    second = twin.await_tracked_frame(where=lambda notice: notice.frame > 5 and str(notice.run_id) != str(RUN)).run

    first_file, second_file = tmp_path / "first.mcap", tmp_path / "second.mcap"
    done = keep(twin, str(RUN)[:8], str(first_file))
    assert (done.returncode, done.stderr) == (0, f"writes run {RUN} (mixed-traffic) into {first_file}\n")
    checked = subprocess.run(
        [*QIKI, "recording", "check", str(first_file)], capture_output=True, text=True, check=False
    )
    assert checked.stdout == f"{first_file}: nothing is missing, 1 run\n"
    (run,) = summarise(Recording(first_file)).runs
    assert (run.run_id, run.first, run.last) == (str(RUN), 0, last)
    given = [one.data for one in twin.history(topics.ORDERS) if one.data.run_id == RUN]
    assert "xpdr.mode" in {order.order for order in given}
    assert run.orders == len(given)
    verdict = judge(first_file)
    assert verdict.same, verdict.difference
    named = {run_of(one.message) for one in Recording(first_file).messages()}
    assert named - {""} == {str(RUN)}

    assert keep(twin, str(second)[:8], str(second_file)).returncode == 0
    (run,) = summarise(Recording(second_file)).runs
    assert (run.run_id, run.scenario, run.first) == (str(second), "crossing", 0)
    refused = keep(twin, "ffff", str(tmp_path / "none.mcap"))
    assert refused.returncode != 0
    assert f"no run ffff is kept (expected one of: {RUN} (mixed-traffic), {second} (crossing))" in refused.stderr
    assert not (tmp_path / "none.mcap").exists()


@pytest.fixture
def running(own_twin) -> Twin:
    """A stack whose time passes."""
    twin: Twin = own_twin("crossing", without=("qiki-dev",))
    twin.await_tracked_frame(frame=5)
    return twin


def test_the_command_records_until_it_is_ended(running: Twin, tmp_path: Path):
    path = tmp_path / "run.mcap"
    with command(running, path) as process:
        running.await_tracked_frame(after=running.now())
        for _ in range(20):
            running.await_tracked_frame(after=running.now())
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith(f"{path}: ")
    assert judge(path).frames >= 15
    checked = subprocess.run([*QIKI, "recording", "check", str(path)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, f"{path}: nothing is missing, 1 run\n")


def test_what_a_killed_recorder_wrote_is_readable(running: Twin, tmp_path: Path):
    path = tmp_path / "run.mcap"
    with command(running, path) as process:
        for _ in range(30):
            newest = running.await_tracked_frame(after=running.now()).frame
        process.kill()
        process.wait()
    verdict = judge(path)
    assert verdict.same
    assert newest - verdict.last <= 12  # a second, and the frame at the end
    checked = subprocess.run([*QIKI, "recording", "check", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 1
    assert "writer was killed" in checked.stdout


def test_a_full_disk_ends_the_recorder_and_harms_nobody_else(running: Twin, mounted):
    path = mounted(1) / "run.mcap"
    (path.parent / "filler").write_bytes(bytes(800_000))
    with command(running, path, "--all") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == f"qiki: {path}: No space left on device: the recording ends here\n"
    assert judge(path).same
    running.await_tracked_frame(after=running.now())
    assert all(status.restarts == 0 for status in running.stack.info.services.values())


def test_a_recorder_without_a_broker_says_so(tmp_path: Path):
    environment = os.environ | {"NATS_URL": "nats://127.0.0.1:9"}
    done = subprocess.run(
        [*QIKI, "record", str(tmp_path / "a.mcap")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("qiki: no NATS server answers at nats://127.0.0.1:9")
    assert done.stderr.count("\n") == 1


def test_a_stack_is_recorded_from_its_begin_to_its_end(tmp_path: Path):
    path = tmp_path / "run.mcap"
    words = ("up", "--ports", "auto", "--speed", "4", "--run-dir", str(tmp_path), "--record", str(path))
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"}
    process = subprocess.Popen(
        [*QIKI, *words], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        until("a megabyte is recorded", lambda: path.exists() and path.stat().st_size > 1e6)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert f"\n{path}: " in output
    verdict = judge(path)
    assert verdict.same
    assert verdict.first == 0
    summary = summarise(Recording(path))
    assert summary.breaks == 0
    drawn, frames = pictures(path), summary.runs[0].frames
    assert {drawn["own_pose"], drawn["detections"]} == {frames}
    assert drawn["tracks"] == summary.counts[topics.TRACKED.subject]
    assert drawn["events"] > 0

    again = subprocess.run([*QIKI, *words], env=environment, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"qiki: --record {path}: it is there already: name another file, or remove it\n"


def test_a_service_that_crashes_again_and_again_leaves_a_bundle(tmp_path: Path):
    path, stack = tmp_path / "run.mcap", Stack(tmp_path / "default")
    words = ("up", "--ports", "auto", "--speed", "4", "--run-dir", str(tmp_path), "--record", str(path))
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"}
    with subprocess.Popen([*QIKI, *words], env=environment, text=True, stdout=subprocess.PIPE) as process:
        try:
            until("something is recorded", lambda: path.exists() and path.stat().st_size > 1e5)
            for number in range(1, RESTARTS + 1):
                until("the radar runs", lambda: stack.info.services["q-sim-radar"].pid)
                os.kill(stack.info.services["q-sim-radar"].pid or 0, signal.SIGKILL)
                until("it is started again", lambda n=number: stack.info.services["q-sim-radar"].restarts == n)
            until("a bundle is there", lambda: list((tmp_path / "bundles").glob("*.qiki.zip")))
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    (bundle,) = (tmp_path / "bundles").glob("*.qiki.zip")
    assert f"q-sim-radar was restarted {RESTARTS} times in " in output
    assert f": qiki verify {bundle}\n" in output
    (recording,) = recordings(bundle)
    assert verify(recorded_run(recording)).same
    with zipfile.ZipFile(bundle) as zipped:
        assert "0/logs/q-sim-radar.log" in zipped.namelist()


def test_a_run_is_flown_again_on_a_stack_to_the_same_digest(own_twin, tmp_path: Path):
    twin = own_twin("collision", run_id=RUN, start=False, without=("qiki-dev",))
    path = tmp_path / "live.mcap"
    with record(twin, path):
        twin.step(21)
        assert twin.command("sim.rcs.fire", axis="up", pct=60.0, duration_s=1.0).ok
        twin.step(60)
        until("all that is stored is recorded", lambda: stored(twin) <= recorded(path))
    run = recorded_run(Recording(path))
    here, there = verify(run), verify_on_stack(run, tmp_path / "again")
    assert (here.same, there.same) == (True, True), (here.difference, there.difference)
    assert there.digest == here.digest is not None
    assert there.last == 39


def test_an_agent_decides_the_same_on_a_stack_as_in_one_process(tmp_path: Path):
    path = tmp_path / "flown.mcap"
    flight = Flight(load_scenario("mixed-traffic"), run_id=RUN)
    flight.command("sim.rcs.fire", axis="up", pct=60.0, duration_s=1.0)
    record_flight(flight, 22.0, path)
    run = recorded_run(Recording(path))
    verdict = verify_on_stack(run, tmp_path / "again")
    assert verdict.same, verdict.difference
    assert verdict.remarks == ()
    assert verdict.digest == verify(run).digest is not None


def test_a_stack_that_decides_otherwise_is_told(tmp_path: Path):
    path, rules = tmp_path / "flown.mcap", tmp_path / "rules.yaml"
    record_flight(Flight(load_scenario("mixed-traffic"), run_id=RUN), 20.0, path)
    rules.write_text("rules: []\n")
    verdict = verify_on_stack(recorded_run(Recording(path)), tmp_path / "again", rules)
    assert verdict.difference is not None
    assert (verdict.difference.key[0], verdict.difference.one) == (topics.GUARD.subject, "(there)")


def test_a_recorder_catches_up_with_streams_that_were_emptied(own_twin, tmp_path: Path):
    twin = own_twin("collision", run_id=RUN, start=False, without=("qiki-dev",))
    twin.step(20)
    twin.jetstream(lambda jetstream: jetstream.purge_stream(topics.QIKI_ESTIMATES_V1))
    where = twin.backing.addresses
    record_kept(where[NATS_URL], where[TESTS_KEYS], tmp_path / "kept.mcap")
    assert recorded_run(Recording(tmp_path / "kept.mcap")).summary.last == 9
