"""The agent of the stack: its boot, SAFE_MODE by the guard and by what falls silent, and the way back."""

from contextlib import closing
from signal import SIGSTOP

import pytest

from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.common_types_pb2 import PERCENT, UUID
from generated.q_sim_api_pb2 import SendActuatorCommandRequest
from qiki.contracts import topics
from qiki.contracts.enums import CommandType, FSMState
from qiki.contracts.events import BIOS_OK, SAFE_MODE_ENTERED
from qiki_harness.twin import start_twin
from qiki_harness.twin.where import containing

MODE, BIOS = SAFE_MODE_ENTERED.subject, BIOS_OK.subject
STRANGER = "RADAR_ALERT_UNKNOWN_CLOSE"
SLOW_MACHINE_S = 60.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack whose simulator is reset for each test, and goes on by itself when it is started anew."""
    # A busy machine is no cause: what is silent for 8 s is.
    settings = {"TELEMETRY_INTERVAL_SEC": "0.1", "AGENT_STALE_MIN_SEC": "8", "QIKI_AUTOSTART": "true"}
    with closing(start_twin(tmp_path_factory.mktemp("agent"), "single-pass", env=settings)) as twin:
        yield twin


@pytest.fixture
def begun(stack):
    """Begins a run, once the agent is in its normal mode; gives the moment."""

    def begin(scenario, speed):
        stack.await_ready()
        assert stack.command("sim.reset", scenario="single-pass", speed=1).ok
        assert stack.command("sim.start").ok
        stack.await_until("the agent is in its normal mode", lambda: mode(stack) == "NORMAL", SLOW_MACHINE_S)
        moment = stack.now()
        assert stack.command("sim.reset", scenario=scenario, speed=speed).ok
        assert stack.command("sim.start").ok
        return moment

    return begin


def mode(twin):
    """What the agent said last."""
    said = [record.data.fields for record in twin.events(subject=MODE)]
    return said[-1]["mode"] if said else None


def fire(twin):
    """Whether the vehicle takes a command to thrust."""
    command = ActuatorCommand(
        actuator_id=UUID(value="rcs_up"),
        command_type=CommandType.SET_VELOCITY,
        float_value=1.0,
        unit=PERCENT,
        timeout_ms=50,
    )
    answer = twin.sim.SendActuatorCommand(SendActuatorCommandRequest(command=command))
    return answer.accepted, answer.message


def await_mode(twin, code, moment, **fields):
    return twin.await_event(subject=MODE, code=code, after=moment, deadline_s=SLOW_MACHINE_S, **fields).data.fields


def test_the_agent_boots_tests_itself_and_ticks(twin):
    bios = twin.await_event(subject=BIOS, all_systems_go=True, deadline_s=SLOW_MACHINE_S).data
    booting = twin.await_event(subject=MODE, code=110, deadline_s=SLOW_MACHINE_S).data.fields
    booted = twin.await_event(subject=MODE, code=111, deadline_s=SLOW_MACHINE_S).data.fields

    assert (bios.code, bios.severity) == (701, "INFO")
    devices = {device["device_name"] for device in bios.fields["post_results"]}
    assert {"lidar", "radar", "motor_left", "rcs_up", "system_controller", "power", "comms"} <= devices
    assert (booting["mode"], booted["mode"], booted["state"]) == ("BOOTING", "NORMAL", FSMState.IDLE)
    assert {evidence["subject"] for evidence in booted["rests_on"]} == {"qiki.tracker.v1.frames", "qiki.telemetry"}


def test_a_stranger_on_its_way_puts_the_vehicle_into_safe_mode(stack, begun):
    moment = begun("collision", speed=5)

    entered = await_mode(stack, 900, moment, trigger=STRANGER)
    stack.await_event(code=300, after=moment, justification=containing("ERROR_STATE"), deadline_s=SLOW_MACHINE_S)
    assert stack.command("sim.pause").ok
    assert stack.command("sim.step", ticks=1).ok  # commands take effect at the next tick

    assert (entered["mode"], entered["previous"]) == ("SAFE_MODE", "NORMAL")
    (evidence,) = entered["rests_on"]
    (alert,) = [record for record in stack.events(code=802, after=moment) if record.sequence == evidence["sequence"]]
    assert alert.subject == evidence["subject"] == "qiki.events.v1.radar.guard"
    assert fire(stack) == (False, "the vehicle is in safe mode: set another mode first")


def test_safe_mode_ends_when_the_stranger_has_gone(stack, begun):
    moment = begun("mixed-traffic", speed=5)

    entered = await_mode(stack, 900, moment, trigger=STRANGER)
    clearing = await_mode(stack, 910, moment)
    left = await_mode(stack, 911, moment)
    stack.await_event(code=300, after=moment, justification=containing("in IDLE"), deadline_s=SLOW_MACHINE_S)

    assert entered["reasons"] == clearing["reasons"] == left["reasons"]
    assert entered["ts_epoch"] < clearing["ts_epoch"] <= left["ts_epoch"]
    assert (left["mode"], left["state"]) == ("NORMAL", FSMState.IDLE)


@pytest.mark.parametrize(
    ("service", "triggers"),
    [
        ("faststream-bridge", {"INPUT_STALE"}),
        ("q-sim-service", {"INPUT_STALE", "BIOS_LOST"}),
        ("nats", {"INPUT_STALE"}),
    ],
)
def test_what_hangs_and_is_killed_puts_it_into_safe_mode_until_it_is_back(stack, begun, service, triggers):
    moment = begun("single-pass", speed=1)

    stack.stack.kill(service, SIGSTOP)
    stack.await_until(
        "the agent is in SAFE_MODE",
        lambda: stack.metric("qiki-dev", "qiki_agent_state") == FSMState.ERROR_STATE,
        SLOW_MACHINE_S,
    )
    stack.kill(service)
    entered = await_mode(stack, 900, moment)
    left = await_mode(stack, 911, moment)

    assert entered["trigger"] in triggers
    assert left["mode"] == "NORMAL"
    assert stack.stack.info.services["qiki-dev"].restarts == 0


def test_what_cannot_be_read_is_counted_and_harms_nothing(stack, begun):
    begun("single-pass", speed=1)
    before = stack.metric("qiki-dev", "qiki_agent_inputs_refused_total")

    for subject in (topics.TRACKS.subject, topics.TRACKED.subject, topics.GUARD.subject):
        stack.store(subject, b'{"frame":"last"}')
    stack.publish(topics.TELEMETRY.subject, b"[]")

    stack.await_until(
        "all of it is counted", lambda: stack.metric("qiki-dev", "qiki_agent_inputs_refused_total") >= before + 4
    )
    ticks = stack.metric("qiki-dev", "qiki_agent_ticks_total")
    stack.await_until("the agent ticks on", lambda: stack.metric("qiki-dev", "qiki_agent_ticks_total") > ticks + 5)
    assert mode(stack) == "NORMAL"
    assert stack.stack.info.services["qiki-dev"].restarts == 0
