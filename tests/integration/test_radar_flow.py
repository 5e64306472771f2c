"""Frames: every one that the simulator numbered is stored exactly once, in order, whatever is killed."""

import pytest

from generated.q_sim_api_pb2 import GetRadarFrameRequest
from qiki_harness.twin.checks import check_frames, settle

SPEED = 5


def test_every_frame_arrives_exactly_once_in_order(own_twin):
    twin = own_twin("mixed-traffic", speed=SPEED)
    twin.await_frame(frame=100)

    assert twin.command("sim.pause").ok

    check_frames(twin, *settle(twin))


@pytest.mark.parametrize("killed", ["nats", "q-sim-radar"])
def test_every_frame_arrives_across_a_kill(own_twin, killed):
    twin = own_twin("mixed-traffic", speed=SPEED)
    twin.await_frame(frame=25)

    twin.kill(killed)
    twin.await_ready()

    newest = twin.frames()[-1].frame
    twin.await_frame(frame=newest + 25)
    assert twin.command("sim.pause").ok
    check_frames(twin, *settle(twin))
    assert twin.stack.info.services[killed].restarts == 1


@pytest.mark.parametrize("away", ["nats", "q-sim-radar"])
def test_frames_wait_for_what_is_away(own_twin, away):
    """What is measured meanwhile is stored when it is back."""
    twin = own_twin("mixed-traffic", speed=SPEED)
    twin.await_frame(frame=10)

    twin.stack.stop_service(away)
    stopped_s = _measured_s(twin)
    twin.await_until("five simulated seconds have passed", lambda: _measured_s(twin) > stopped_s + 5)
    stored = len(twin.frames())
    twin.stack.start_service(away)
    twin.await_ready()

    twin.await_frame(frame=stored + 75)
    assert twin.command("sim.pause").ok
    check_frames(twin, *settle(twin))


def _measured_s(twin):
    """Simulated time of the newest frame, from the simulator itself."""
    timestamp = twin.sim.GetRadarFrame(GetRadarFrameRequest(), timeout=10).frame.timestamp
    return timestamp.seconds + timestamp.nanos / 1e9
