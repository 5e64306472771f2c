"""Telemetry: by the wall clock, with simulated time in it, also while the world stands still."""

from datetime import timedelta

from qiki.contracts import topics
from qiki_harness.twin.where import above

TICK = timedelta(milliseconds=50)


def test_telemetry_goes_on_while_time_is_held(own_twin):
    twin = own_twin("mixed-traffic", speed=5, env={"TELEMETRY_INTERVAL_SEC": "0.1"})
    twin.await_telemetry(sim_state__tick=above(0))
    assert twin.command("sim.pause").ok
    twin.await_telemetry(after=twin.now(), sim_state__paused=True)

    held = twin.now()
    twin.await_until("five more snapshots have come", lambda: len(twin.telemetry(after=held)) >= 5)

    snapshots = [record.data for record in twin.telemetry(after=held)]
    assert all(snapshot.sim_state.paused for snapshot in snapshots)
    assert len({snapshot.sim_state.tick for snapshot in snapshots}) == 1
    assert len({snapshot.timestamp for snapshot in snapshots}) == 1


def test_time_stamps_are_simulated_time(own_twin):
    twin = own_twin("empty", speed=10, env={"TELEMETRY_INTERVAL_SEC": "0.1"})
    twin.await_telemetry(sim_state__tick=above(100))

    first, *_, last = [record.data for record in twin.telemetry()]

    ticks = last.sim_state.tick - first.sim_state.tick
    assert ticks > 0
    assert last.timestamp - first.timestamp == ticks * TICK
    assert last.ts_unix_ms == round(last.timestamp.timestamp() * 1000)


def test_telemetry_comes_and_is_whole(twin):
    began = twin.now()
    twin.await_until("two snapshots have come", lambda: len(twin.telemetry(after=began)) >= 2)

    for record in twin.telemetry(after=began):
        snapshot = record.data
        assert 0 <= snapshot.battery <= 100
        assert snapshot.battery == snapshot.power.soc_pct
        assert {node.id for node in snapshot.thermal.nodes} >= {"core", "battery"}
        assert snapshot.sensors


def test_nobody_waits_for_the_next_telemetry(own_twin):
    """With an hour between two: the agent, which comes last, is ready; who asks has one, a broker later too."""
    twin = own_twin("empty", env={"TELEMETRY_INTERVAL_SEC": "3600"})
    twin.await_ready()

    killed = twin.now()
    twin.kill("nats")

    def asked() -> bool:  # again and again: nobody keeps a request for a simulator that is not connected yet
        twin.publish(topics.TELEMETRY_REQUESTS.subject, b"")
        return bool(twin.telemetry(after=killed))

    twin.await_until("telemetry comes for who asks", asked)
