"""The smoke test on a stack of which one part is broken: that part's check fails, and no other does."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest

from generated.q_sim_api_pb2 import ListActuatorsRequest
from qiki.botspec import DEFAULT_SPEC
from qiki.contracts import topics
from qiki.contracts.enums import FSMState, RadarTrackStatus
from qiki.contracts.events import GUARD_CLEARED
from qiki.guard import DEFAULT_RULES
from qiki_harness.recording.bundle import recordings
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.checks.agent import NORMAL
from qiki_harness.smoke.checks.jetstream import ASKED, FRESH_S
from qiki_harness.twin import Twin, start_twin

SMOKE_S = 150.0
SLOW_MACHINE_S = 60.0
BRIDGE = "faststream-bridge"
SMOKE = (sys.executable, "-P", "-m", "qiki_harness.smoke")
SCRIPT = Path(__file__).parents[2] / "scripts" / "smoke_test.sh"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The guard's rules, to be changed."""
    path = tmp_path_factory.mktemp("rules") / "guard_rules.yaml"
    path.write_text(DEFAULT_RULES.read_text())
    return path


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """The specification of the simulator's and the agent's bot, to be changed."""
    path = tmp_path_factory.mktemp("spec") / "bot.yaml"
    path.write_text(DEFAULT_SPEC.read_text())
    return path


@pytest.fixture(scope="module")
def stack(tmp_path_factory, rules, spec):
    """A stack that is broken and mended again and again; nothing in its world is near."""
    settings = {"QIKI_GUARD_RULES": str(rules), "QIKI_BOT_SPEC": str(spec), "QIKI_AUTOSTART": "true"}
    with closing(start_twin(tmp_path_factory.mktemp("broken"), "crossing", env=settings)) as twin:
        yield twin


@pytest.fixture
def twin(stack):
    """The same, when all is well."""
    await_calm(stack)
    return stack


def await_calm(twin):
    """Wait until every service is ready, and the agent has tested the vehicle and is in its normal mode."""
    twin.await_ready(SLOW_MACHINE_S)
    twin.await_agent_state(
        lambda state: state.bios_ok and state.fsm.current_state in NORMAL, after=twin.now(), deadline_s=SLOW_MACHINE_S
    )


def environment(twin):
    """The variables that name the stack to the smoke test."""
    return {**os.environ, "QIKI_BOT_SPEC": "", **twin.stack.info.addresses}


def smoke(twin):
    """The smoke test's report on a stack: its checks by name."""
    done = subprocess.run(
        [*SMOKE, "--json", "--bundles", ""],
        env=environment(twin),
        capture_output=True,
        text=True,
        timeout=SMOKE_S,
        check=False,
    )
    assert not done.stderr
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["passed"] else 1)
    return {check["name"]: check for check in document["checks"]}


def with_verdict(checks, verdict):
    return {name for name, check in checks.items() if check["verdict"] == verdict}


@contextmanager
def stopped(twin, service):
    twin.stack.stop_service(service)
    try:
        yield
    finally:
        twin.stack.start_service(service)


@contextmanager
def altered_durable(twin):
    """One that only outside clients read."""

    async def set_limit(jetstream, limit):
        info = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.TRACKS_DURABLE)
        await jetstream.add_consumer(topics.QIKI_RADAR_V1, replace(info.config, max_ack_pending=limit))
        return info.config.max_ack_pending

    usual = twin.jetstream(lambda jetstream: set_limit(jetstream, 17))
    try:
        yield
    finally:
        twin.jetstream(lambda jetstream: set_limit(jetstream, usual))


@contextmanager
def bad_event(twin):
    sequence = twin.store("qiki.events.v1.health", b"well, thank you")
    try:
        yield
    finally:
        twin.jetstream(lambda jetstream: jetstream.delete_msg(topics.QIKI_EVENTS_V1, sequence))


@contextmanager
def no_simulator(twin):
    """For so long that the agent has noticed it too."""
    with stopped(twin, "q-sim-service"):
        twin.await_agent_state(
            lambda state: not state.bios_ok and state.fsm.current_state is FSMState.ERROR_STATE,
            after=twin.now(),
            deadline_s=SLOW_MACHINE_S,
        )
        yield


@contextmanager
def another_bot(twin, spec):
    """Simulator and agent run another bot than the platform's own."""
    text = DEFAULT_SPEC.read_text()
    assert "fitted: [LIDAR, IMU, GPS, THERMAL, RADAR]" in text
    run_on(twin, spec, text.replace("fitted: [LIDAR, IMU, GPS, THERMAL, RADAR]", "fitted: [IMU, RADAR]"))
    try:
        yield
    finally:
        run_on(twin, spec, text)


def run_on(twin, spec, text):
    spec.write_text(text)
    for service in ("q-sim-service", "qiki-dev"):
        twin.restart(service)
    await_calm(twin)


@contextmanager
def other_rules(twin, rules, text="rules: []\n"):
    rules.write_text(text)
    twin.restart(BRIDGE)
    try:
        yield
    finally:
        rules.write_text(DEFAULT_RULES.read_text())
        twin.restart(BRIDGE)


BREAKS = {  # the check that fails: how it is broken, what is blocked then, what is said
    "streams": (lambda place: altered_durable(place.twin), set(), "radar_tracks_pull: change max_ack_pending from 17"),
    "cloudevents": (lambda place: bad_event(place.twin), set(), "qiki.events.v1.health, sequence "),
    "grpc": (
        lambda place: no_simulator(place.twin),
        {"botspec", "registrar", "radar", "tracks", "lag", "agent", "guard"},
        "no answer at QSIM_GRPC=127.0.0.1:",
    ),
    "botspec": (lambda place: another_bot(place.twin, place.spec), set(), "sensors missing: gps, lidar, thermal"),
    "registrar": (lambda place: stopped(place.twin, "registrar"), set(), "is not on record"),
    "radar": (lambda place: stopped(place.twin, "q-sim-radar"), {"tracks", "lag", "guard"}, "came: 0 on"),
    "tracks": (lambda place: stopped(place.twin, BRIDGE), {"lag", "guard"}, "is stored, but not tracked"),
    "agent": (lambda place: stopped(place.twin, "qiki-dev"), {"guard"}, "ticks between: none"),
    "guard": (lambda place: other_rules(place.twin, place.rules), set(), "expected a guard alert"),
}


@dataclass
class Place:
    """Where something is broken."""

    twin: Twin
    rules: Path
    spec: Path


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_fails_its_check_and_no_other(twin, rules, spec, name):
    broken, blocked, words = BREAKS[name]

    with broken(Place(twin, rules, spec)):
        checks = smoke(twin)

    assert with_verdict(checks, "failed") == {name}, checks
    assert words in checks[name]["text"]
    assert with_verdict(checks, "blocked") == blocked


def test_a_simulation_that_is_paused_is_said_to_be(twin):
    assert twin.command("sim.pause").ok
    try:
        checks = smoke(twin)
    finally:
        assert twin.command("sim.start").ok

    assert with_verdict(checks, "failed") == {"radar"}, checks
    assert checks["radar"]["text"] == "no frames: the simulation is paused (sim.start resumes it)"


def test_a_stack_that_is_well_passes_and_is_left_as_it_was(twin):
    before = twin.jetstream(readers)

    checks = smoke(twin)

    assert with_verdict(checks, "passed") == set(checks), checks
    assert len(checks) == len(CHECKS)
    assert twin.jetstream(readers) == before
    assert all(state.ready for state in twin.sim.ListActuators(ListActuatorsRequest(), timeout=10).actuators)
    assert not twin.dead_letters(origin_subject=topics.FRAMES.subject)


def test_runs_that_are_reset_while_they_are_looked_at_are_no_fault(twin):
    command = [*SMOKE, "--json", "--only", "radar", "--only", "tracks"]
    with subprocess.Popen(command, env=environment(twin), stdout=subprocess.PIPE) as process:
        while process.poll() is None:
            moment = twin.now()
            assert twin.command("sim.reset").ok
            assert twin.command("sim.start").ok
            twin.await_frame(frame=4, after=moment, deadline_s=SLOW_MACHINE_S)
        report, _ = process.communicate(timeout=SMOKE_S)

    verdicts = {check["name"]: check["verdict"] for check in json.loads(report)["checks"]}
    assert verdicts == {"radar": "passed", "tracks": "passed"}, report.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_one_that_is_ended_takes_its_stranger_along(twin, rules, number):
    harmless = DEFAULT_RULES.read_text().replace("severity: critical", "severity: warning")
    command = [*SMOKE, "--only", "guard"]
    with other_rules(twin, rules, harmless):  # it waits for SAFE_MODE until the signal
        moment = twin.now()
        with subprocess.Popen(command, env=environment(twin), stdout=subprocess.PIPE) as process:
            alert = twin.await_event(subject=topics.GUARD.subject, after=moment, deadline_s=SLOW_MACHINE_S).data
            process.send_signal(number)
            said, _ = process.communicate(timeout=SMOKE_S)

        assert (process.returncode, said) == (128 + number, b""), said.decode()
        track = alert.fields["track_id"]
        twin.await_event(subject=GUARD_CLEARED.subject, after=moment, track_id=track, deadline_s=SLOW_MACHINE_S)
        twin.await_track(track_id=UUID(track), status=RadarTrackStatus.LOST, after=moment)


def test_the_script_says_it_in_lines_from_wherever_it_is_called(twin, tmp_path):
    done = subprocess.run(
        ["bash", SCRIPT, "--only", "grpc", "--only", "streams"],
        env={**os.environ, **twin.stack.info.addresses},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SMOKE_S,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    streams, health, summary = done.stdout.splitlines()
    assert streams.startswith("passed   streams  ")
    assert f"{len(topics.STREAMS)} streams and 4 durables" in streams
    assert "HealthCheck OK" in health
    assert summary.startswith("2 of 2 checks passed in ")
    assert summary.endswith(f" s: the stack of NATS_URL={twin.stack.info.addresses['NATS_URL']}")


async def readers(jetstream):
    """Every consumer that there is."""
    streams = [str(stream.config.name) for stream in await jetstream.streams_info()]
    return {(stream, info.name) for stream in streams for info in await jetstream.consumers_info(stream)}


def test_a_lag_monitor_that_sleeps_is_found(own_twin):
    twin = own_twin("crossing", env={"RADAR_LAG_MONITOR_INTERVAL_SEC": "3600"})
    asked_epoch = twin.await_until("the readers were asked", lambda: twin.metric(BRIDGE, ASKED))
    twin.await_until("that is long ago", lambda: time.time() - asked_epoch > FRESH_S)

    checks = smoke(twin)

    assert with_verdict(checks, "failed") == {"lag"}, checks
    assert not with_verdict(checks, "blocked")
    assert checks["lag"]["text"].startswith("the readers were last asked ")


def test_a_failed_smoke_test_leaves_what_the_stack_kept(twin, tmp_path):
    newest = twin.await_tracked_frame(after=twin.now())
    with altered_durable(twin):
        done = subprocess.run(
            [*SMOKE, "--only", "streams", "--bundles", "bundles"],
            env=environment(twin),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SMOKE_S,
            check=False,
        )
    assert "to see it again" in done.stderr, done.stdout + done.stderr
    (path,) = (tmp_path / "bundles").iterdir()
    assert done.returncode == 1
    assert done.stderr == f"to see it again: qiki verify bundles/{path.name}\n"
    (recording,) = recordings(path)
    verdict = verify(recorded_run(recording, newest.run))
    assert verdict.same, verdict.difference
    assert verdict.last >= newest.frame
    with zipfile.ZipFile(path) as bundle:
        assert "streams: " in bundle.read("failure.txt").decode()
