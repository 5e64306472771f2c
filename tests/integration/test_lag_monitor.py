"""The lag monitor: every durable as metrics, our own as events when they fall behind and when they are back."""

from qiki.contracts import topics

QUICK = {"RADAR_LAG_MONITOR_INTERVAL_SEC": "0.2", "RADAR_LAG_THRESHOLD_SEC": "1"}
BRIDGE = "faststream-bridge"


def lag(twin, consumer, stream=topics.QIKI_RADAR_V1):
    return twin.metric(BRIDGE, "qiki_jetstream_consumer_lag", stream=stream, consumer=consumer)


def test_a_durable_that_nobody_reads_falls_behind_and_the_bridges_own_does_not(own_twin):
    twin = own_twin("crossing", speed=5, env=QUICK)
    twin.await_tracked_frame(frame=30)

    twin.await_until("30 tracks to wait for outside clients", lambda: lag(twin, topics.TRACKS_DURABLE) > 30)
    assert lag(twin, topics.FRAMES_DURABLE) < 30
    assert twin.metric(BRIDGE, "qiki_jetstream_lag_errors_total") == 0


def test_a_reader_of_ours_that_stops_is_told_and_so_is_its_return(own_twin):
    twin = own_twin("empty", env=QUICK)
    twin.await_tracked_frame(frame=1)

    twin.stack.stop_service("registrar")
    assert not twin.command("sim.rewind").ok  # an event that nobody takes
    passed = twin.await_event(code=402, consumer=topics.REGISTRAR_DURABLE)
    assert passed.data.fields["oldest_s"] > 1
    twin.stack.start_service("registrar")
    cleared = twin.await_event(code=401, consumer=topics.REGISTRAR_DURABLE)
    assert cleared.sequence > passed.sequence
