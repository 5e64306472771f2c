"""Two stacks at once: each has its own ports, its own world and its own messages."""

from qiki_harness.twin.checks import check_frames, check_tracks, settle


def test_two_stacks_do_not_know_of_each_other(own_twin):
    one, other = own_twin("single-pass", speed=5), own_twin("crossing", speed=5)
    for twin in (one, other):
        twin.await_tracked_frame(frame=20)

    assert one.command("sim.pause").ok

    moment = other.now()
    other.await_tracked_frame(after=moment, frame=other.tracked_frames()[-1].frame + 20)
    assert other.command("sim.pause").ok
    for twin, contacts in ((one, 1), (other, 4)):
        run, last = settle(twin)
        check_frames(twin, run, last)
        check_tracks(twin, run, last)
        assert {record.run for record in twin.frames()} == {run}
        assert len(twin.truth()[-1].data.contacts) == contacts
    services = [*one.stack.info.services.values(), *other.stack.info.services.values()]
    ports = [port for service in services for port in service.ports.values()]
    assert len(ports) == len(set(ports))
