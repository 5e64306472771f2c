"""A simulator that is killed goes on with its run: nothing of it shows in what the run published."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata, ControlAck
from qiki.contracts.events import RUN_RESUMED, RUN_STARTED
from qiki.contracts.headers import FRAME
from qiki.contracts.telemetry import SimState
from qiki_harness.recording.about import about
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.recorder import Recorder
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.testing import until
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import NATS_URL, TESTS_KEYS

SIMULATOR = "q-sim-service"
RUN = UUID("5ca1ab1e-0000-4000-8000-000000000031")


def state(twin: Twin) -> SimState:
    return twin.await_telemetry(after=twin.now()).data.sim_state


def sent(twin: Twin, name: str, message_id: UUID, **parameters: Any) -> ControlAck:
    """The answer to a command under this id."""
    metadata = CommandMetadata(message_id=message_id, message_type="command", source="twin")
    body = CommandMessage(command_name=name, parameters=parameters, metadata=metadata).to_json()
    before = twin.now()
    twin.publish(topics.COMMANDS.subject, body)
    return twin.await_acknowledgement(request_id=str(message_id), after=before).data


def kill(twin: Twin) -> None:
    twin.kill(SIMULATOR)
    twin.await_ready()


def test_a_run_of_killed_simulators_is_the_run_that_follows_from_its_inputs(own_twin, tmp_path: Path):
    twin = own_twin("mixed-traffic", run_id=RUN, speed=4, start=False)
    path, where = tmp_path / "run.mcap", twin.backing.addresses
    with Recorder(RecordingWriter(path, about("test", None)), where[NATS_URL], where[TESTS_KEYS]):
        assert twin.command("sim.start").ok
        for number in range(1, 5):
            twin.await_tracked_frame(run=str(RUN), frame=35 * number)
            assert twin.command("sim.rcs.fire", axis="up", pct=60.0, duration_s=1.0).ok
            before = twin.now()
            twin.kill(SIMULATOR)  # the order may wait for its tick
            twin.await_event(subject=RUN_RESUMED.subject, code=RUN_RESUMED.code, after=before)
        twin.await_tracked_frame(run=str(RUN), frame=180, deadline_s=60)
        assert twin.command("sim.pause").ok
        twin.await_ready()
        last = state(twin)
        until("the end is recorded", lambda: recorded_to(path) >= last.tick // 2 - 1)
    run = recorded_run(Recording(path))
    verdict = verify(run)
    assert verdict.same, (verdict.difference, verdict.led_to)
    assert (verdict.first, verdict.gaps) == (0, ())
    assert verdict.last >= 179
    fired = [order for given in run.orders.values() for order in given if order.order == "rcs.fire"]
    assert len([order for order in fired if order.origin == "control"]) == 4
    assert len(twin.events(subject=RUN_RESUMED.subject, code=RUN_RESUMED.code)) == 4
    assert len(twin.events(subject=RUN_STARTED.subject, code=RUN_STARTED.code)) == 1


def recorded_to(path: Path) -> int:
    frames = (one.message for one in Recording(path).messages({topics.TRACKED.subject}))
    return max((int(message.headers[FRAME]) for message in frames), default=-1)


@pytest.fixture
def held(own_twin) -> Twin:
    """A world that only steps move, with no agent that gives orders."""
    return own_twin("collision", start=False, without=("qiki-dev",))


def test_time_stays_held_and_an_order_waits_for_its_tick(held: Twin):
    held.step(7)
    assert held.command("sim.rcs.fire", axis="up", pct=40.0, duration_s=1.0).ok
    before = state(held)
    kill(held)
    after = state(held)
    assert (after.run_id, after.tick, after.running) == (before.run_id, 7, False)
    held.step(2)
    order = held.await_message(topics.ORDERS, run_id=UUID(before.run_id)).data
    assert (order.tick, order.number, order.order) == (7, 0, "rcs.fire")


def test_a_command_that_was_answered_is_not_executed_again(held: Twin):
    step = uuid4()
    assert sent(held, "sim.step", step, ticks=11).ok
    kill(held)
    again = sent(held, "sim.step", step, ticks=11)
    assert again.ok
    assert state(held).tick == 11
    assert sent(held, "sim.step", uuid4(), ticks=2).ok
    assert state(held).tick == 13


def test_a_step_in_whose_middle_it_was_killed_ends_where_it_would_have(held: Twin):
    held.step(1)
    step = uuid4()
    metadata = CommandMetadata(message_id=step, message_type="command", source="twin")
    body = CommandMessage(command_name="sim.step", parameters={"ticks": 30_000}, metadata=metadata).to_json()
    held.publish(topics.COMMANDS.subject, body)
    held.await_tracked_frame(frame=300, deadline_s=60)
    kill(held)
    reached = state(held).tick
    assert 600 < reached < 30_001
    assert sent(held, "sim.step", step, ticks=30_000).ok
    assert state(held).tick == 30_001


def test_one_that_was_asked_to_stop_ends_its_run(held: Twin):
    held.step(5)
    before = state(held).run_id
    held.restart(SIMULATOR)
    held.await_ready()
    after = state(held)
    assert after.run_id != before
    assert after.tick == 0


def test_a_reset_ends_a_run_for_good(held: Twin):
    held.step(5)
    assert held.command("sim.reset", scenario="crossing", seed=9).ok
    held.step(4)
    before = state(held)
    kill(held)
    after = state(held)
    assert (after.run_id, after.tick) == (before.run_id, 4)
