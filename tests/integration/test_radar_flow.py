"""Frames: every one that the simulator numbered is stored exactly once, in order, whatever is killed."""

from contextlib import closing

import pytest

from generated.q_sim_api_pb2 import GetRadarFrameRequest
from qiki_harness.twin import start_twin
from qiki_harness.twin.checks import check_frames, settle

SPEED = 5


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack whose run goes on from test to test."""
    with closing(start_twin(tmp_path_factory.mktemp("flow"), "mixed-traffic", speed=SPEED)) as twin:
        yield twin


@pytest.fixture
def twin(stack):
    """The same, when all is well and time passes."""
    stack.await_ready()
    assert stack.command("sim.start").ok
    return stack


def test_every_frame_arrives_exactly_once_in_order(twin):
    twin.await_frame(frame=100)

    assert twin.command("sim.pause").ok

    check_frames(twin, *settle(twin))


@pytest.mark.parametrize("killed", ["nats", "q-sim-radar"])
def test_every_frame_arrives_across_a_kill(twin, killed):
    await_more(twin, 25)
    restarts = twin.stack.info.services[killed].restarts

    twin.kill(killed)
    twin.await_ready()

    await_more(twin, 25)
    assert twin.command("sim.pause").ok
    check_frames(twin, *settle(twin))
    assert twin.stack.info.services[killed].restarts == restarts + 1


@pytest.mark.parametrize("away", ["nats", "q-sim-radar"])
def test_frames_wait_for_what_is_away(twin, away):
    """What is measured meanwhile is stored when it is back."""
    await_more(twin, 10)

    twin.stack.stop_service(away)
    stopped_s = _measured_s(twin)
    twin.await_until("five simulated seconds have passed", lambda: _measured_s(twin) > stopped_s + 5)
    newest = twin.frames()[-1].frame
    twin.stack.start_service(away)
    twin.await_ready()

    twin.await_frame(frame=newest + 75)
    assert twin.command("sim.pause").ok
    check_frames(twin, *settle(twin))


def await_more(twin, frames):
    """So many behind the next."""
    twin.await_frame(frame=twin.await_frame(after=twin.now()).frame + frames)


def _measured_s(twin):
    """Simulated time of the newest frame, from the simulator itself."""
    timestamp = twin.sim.GetRadarFrame(GetRadarFrameRequest(), timeout=10).frame.timestamp
    return timestamp.seconds + timestamp.nanos / 1e9
