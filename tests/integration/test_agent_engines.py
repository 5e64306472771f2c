"""Engines in an agent outside the stack: one that is good, ones that fail or hang; and a body that is not declared."""

import math
import time
from contextlib import closing
from pathlib import Path

import pytest

from qiki.botspec import DEFAULT_SPEC
from qiki.contracts.enums import DeviceStatus, FSMState, ProposalStatus
from qiki.contracts.events import BIOS_FAILED, PROPOSAL_ACCEPTED, SAFE_MODE_ENTERED
from qiki_harness.testing import ServiceProcess
from qiki_harness.twin import start_twin
from qiki_harness.twin.where import containing

MODE, BIOS, DECISION = SAFE_MODE_ENTERED.subject, BIOS_FAILED.subject, PROPOSAL_ACCEPTED.subject
AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
SLOW_MACHINE_S = 60.0
STOP_S = 5.0
FITTED = "fitted: [LIDAR, IMU, GPS, THERMAL, RADAR]"
PUPPETS = """
import os
import time
from pathlib import Path

from qiki.agent import Proposal, turn

STRINGS = Path(os.environ["STRINGS"])


class Puppet:
    def __init__(self, bot):
        pass

    def propose(self, world):
        if (STRINGS / "raise").exists():
            raise RuntimeError("pulled by its string")
        while (STRINGS / "hang").exists():
            time.sleep(0.01)
        return ()


class Eager:
    def __init__(self, bot):
        pass

    def propose(self, world):
        yield Proposal((turn(1.0),), "it likes to turn")
"""

VETERAN = PUPPETS.replace("from qiki.agent import", "from q_core_agent.proposals import")


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """The specification of a bot that has no lidar."""
    text = DEFAULT_SPEC.read_text(encoding="utf-8")
    assert FITTED in text
    path = tmp_path_factory.mktemp("spec") / "no-lidar.yaml"
    path.write_text(text.replace(FITTED, FITTED.replace("LIDAR, ", "")))
    return path


@pytest.fixture(scope="module")
def stack(tmp_path_factory, spec):
    """A stack without an agent, whose simulator is reset for each test."""
    often = {"TELEMETRY_INTERVAL_SEC": "0.1", "QIKI_BOT_SPEC": str(spec)}
    folder = tmp_path_factory.mktemp("engines")
    with closing(start_twin(folder, "single-pass", start=False, env=often, without=("qiki-dev",))) as twin:
        yield twin


@pytest.fixture
def agent(stack, spec, tmp_path):
    """Makes an agent on a run that begins; it is killed with the test."""
    made = []

    def make(scenario="single-pass", speed=1, **settings):
        assert stack.command("sim.reset", scenario=scenario, speed=speed).ok
        stack.forget()
        # A slow machine is no cause: neither for what is silent, nor for an engine.
        patience = {"AGENT_STALE_MIN_SEC": 20, "AGENT_ENGINE_BUDGET_SEC": 2}
        own = {"QIKI_DEV_KEYS_DIR": stack.stack.folder.keys("qiki-dev")}
        defaults = {"QIKI_BOT_SPEC": spec, **patience, **stack.stack.info.addresses, **own}
        process = ServiceProcess("q_core_agent", tmp_path / "agent.log", **(defaults | settings))
        made.append(process)
        return process

    yield make
    for process in made:
        process.kill()


@pytest.fixture
def puppets(installed, tmp_path):
    """Installs the engines whose strings the test pulls; gives the settings that an agent needs for them."""
    module = tmp_path / "puppets.py"
    module.write_text(PUPPETS)
    folder = installed(module, puppet="puppets:Puppet", eager="puppets:Eager")
    return {"PYTHONPATH": folder, "STRINGS": tmp_path, "AGENT_ENGINES": "all"}


def await_mode(twin, code, moment=None, **fields):
    return twin.await_event(subject=MODE, code=code, after=moment, deadline_s=SLOW_MACHINE_S, **fields).data.fields


def await_decision(twin, code, why, moment=None):
    why = containing(why)
    return twin.await_event(
        subject=DECISION, code=code, justification=why, after=moment, deadline_s=SLOW_MACHINE_S
    ).data.fields


def begun(stack, agent):
    """The agent in its normal mode, in a world where time passes."""
    agent.start()
    agent.ready()
    assert stack.command("sim.start").ok
    await_mode(stack, 111)


def nearest_m(twin):
    """The least distance from the bot that a contact really had."""
    return min(
        math.dist(_place(record.data.bot.position), _place(contact.position))
        for record in twin.truth()
        for contact in record.data.contacts
    )


def _place(vector):
    return vector.x, vector.y, vector.z


def test_the_example_keeps_clear_of_a_collision(stack, agent, installed):
    folder = installed(AVOIDANCE, avoidance="avoidance:Avoidance")
    begun(stack, agent("collision", 4, PYTHONPATH=folder, AGENT_ENGINES="avoidance"))

    burn = await_decision(stack, 300, "thrust")
    end = stack.await_truth(frame=440, deadline_s=SLOW_MACHINE_S)
    assert stack.command("sim.stop").ok

    assert burn["source"] == "avoidance"
    assert burn["status"] == ProposalStatus.EXECUTED
    assert burn["actions"][0]["accepted"] is True
    subjects = {"qiki.radar.v1.tracks", "qiki.estimates.v1.tracks", "qiki.telemetry"}
    assert {evidence["subject"] for evidence in burn["rests_on"]} == subjects
    assert nearest_m(stack) > 80
    assert math.hypot(*_place(end.data.bot.velocity)) > 1
    assert stack.telemetry()[-1].data.hull.integrity == 100
    assert [record for record in stack.events(subject=MODE, code=900) if "RADAR" in record.data.fields["trigger"]] == []


@pytest.mark.parametrize(
    ("string", "trigger"), [("raise", "ENGINE_FAILED"), ("hang", "ENGINE_OVERRUN")], ids=["raises", "hangs"]
)
def test_a_faulty_engine_is_safe_mode_until_it_is_well(stack, agent, puppets, tmp_path, string, trigger):
    process = agent(**puppets)
    begun(stack, process)
    await_decision(stack, 300, "likes to turn")

    moment = stack.now()
    (tmp_path / string).touch()
    entered = await_mode(stack, 900, moment, trigger=trigger)
    refused = await_decision(stack, 302, "likes to turn", moment)
    (tmp_path / string).unlink()
    left = await_mode(stack, 911, moment)

    assert "puppet" in entered["reasons"][0]
    assert (refused["status"], refused["reason"]) == (ProposalStatus.REJECTED, "engine puppet is at fault")
    assert left["state"] == FSMState.IDLE
    assert process.get("/healthz")[0] == 200


def test_an_engine_written_for_old_names_runs_and_the_log_names_the_new(stack, agent, installed, tmp_path):
    module = tmp_path / "veteran.py"
    module.write_text(VETERAN)
    process = agent(PYTHONPATH=installed(module, veteran="veteran:Eager"), STRINGS=tmp_path, AGENT_ENGINES="veteran")
    begun(stack, process)

    assert await_decision(stack, 300, "likes to turn")["source"] == "veteran"
    (line,) = [line for line in process.words().splitlines() if "DeprecationWarning" in line]
    assert "veteran.py" in line
    assert "q_core_agent.proposals has moved: import from qiki.agent" in line


def test_a_hanging_engine_does_not_hold_up_the_end(stack, agent, puppets, tmp_path):
    process = agent(**puppets)
    begun(stack, process)
    (tmp_path / "hang").touch()
    await_mode(stack, 900)

    begin_s = time.monotonic()
    assert process.terminate() == 0
    assert time.monotonic() - begin_s < STOP_S
    halted = await_mode(stack, 901)
    assert (halted["mode"], halted["state"], halted["previous"]) == ("SHUTDOWN", FSMState.SHUTDOWN, "SAFE_MODE")


def test_an_engine_that_is_not_installed_ends_the_agent_with_one_line(agent, puppets):
    process = agent(**puppets | {"AGENT_ENGINES": "eager,marionette"})
    process.start()
    assert process.wait() == 2
    (line,) = [line for line in process.words().splitlines() if not line.startswith("{")]
    expected = "some of: all, none, eager, puppet"
    assert line == f"q-core-agent: AGENT_ENGINES: no engine 'marionette' is installed (expected {expected})"


def test_an_engine_that_is_not_named_is_off_and_the_log_says_how_to_switch_it_on(stack, agent, puppets):
    del puppets["AGENT_ENGINES"]
    process = agent(**puppets)
    process.start()
    process.ready()

    said = process.said("installed engines are off")
    assert (said["engines"], said["hint"]) == (["eager", "puppet"], "AGENT_ENGINES=eager,puppet switches them on")
    assert process.said("agent")["engines"] == []


def test_a_declared_sensor_that_is_not_fitted_is_safe_mode(stack, agent):
    process = agent(QIKI_BOT_SPEC="")
    process.start()
    process.ready()
    assert stack.command("sim.start").ok

    failed = stack.await_event(subject=BIOS, code=702, all_systems_go=False, deadline_s=SLOW_MACHINE_S).data.fields
    entered = await_mode(stack, 900, trigger="BIOS_ERROR")

    rows = {row["device_name"]: row for row in failed["post_results"]}
    assert rows["lidar"]["status"] == DeviceStatus.NOT_FOUND
    assert rows["gps"]["status"] == DeviceStatus.OK
    assert "lidar" in entered["reasons"][0]
    await_decision(stack, 300, "ERROR_STATE")
