"""Containers are killed, paused, restarted and cut off while frames flow: all come back, nothing is lost or doubled."""

import threading
from collections import Counter

import pytest

from qiki.contracts import topics
from qiki_harness.twin.checks import check_frames, check_tracks, settle

SERVICES = ("nats", "q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "operator-console", "qiki-dev")
BACK_S = 30.0
WINDOW_S = max(stream.duplicate_window_s for stream in topics.STREAMS)
HELD_S = 7.0  # how long a fault lasts that does not end by itself: longer than a cut link goes unnoticed
IN_CI = {("kill", service) for service in SERVICES} | {("pause", "faststream-bridge"), ("disconnect", "nats")}


def begun(twin):
    """A new run, 20 frames on; what a twin that has just come reads first is of the one before."""
    assert twin.command("sim.reset", scenario="mixed-traffic").ok
    assert twin.command("sim.start").ok
    run = twin.acknowledgements()[-1].run
    twin.await_tracked_frame(run=run, frame=20, deadline_s=60)
    return run


def kill(containers, service):
    containers.kill(service)


def pause(containers, service):
    with containers.paused(service):
        hold()


def restart(containers, service):
    containers.of_service(service).restart(timeout=5)


def disconnect(containers, service):
    with containers.cut_off(service):
        hold()


def hold(seconds=HELD_S):
    threading.Event().wait(seconds)


def away(containers, service):
    """Stop it for longer than the broker knows message ids: what it has, and never said so, is stored again."""
    with containers.stopped(service):
        hold(WINDOW_S + HELD_S)


class FirstCopies:
    """A reader's messages, without those that were stored again after the duplicate window, as docs/wire.md says."""

    def __init__(self, reader):
        self._reader = reader

    def frames(self, **fields):
        return self._first(self._reader.frames(**fields))

    def tracks(self, **fields):
        return self._first(self._reader.tracks(**fields))

    def tracked_frames(self, **fields):
        return self._first(self._reader.tracked_frames(**fields))

    def _first(self, records):
        first = {}
        for record in records:
            first.setdefault(record.message_id, record)
        return list(first.values())


CASES = [
    pytest.param(fault, service, id=f"{fault.__name__} {service}", marks=() if chosen else pytest.mark.long)
    for fault in (kill, pause, restart, disconnect)
    for service in SERVICES
    for chosen in [(fault.__name__, service) in IN_CI]
] + [pytest.param(away, "nats", id="away nats", marks=(pytest.mark.long, pytest.mark.timeout(240 + WINDOW_S)))]


# Docker's proxy accepts for a broker that is away and hangs up; the client drops such a connection without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("fault", "service"), CASES)
def test_all_come_back_and_nothing_is_lost_or_doubled(containers, watch, registered, fault, service):
    with watch() as twin:
        first = begun(twin)
        acknowledged = {(record.sequence, record.message_id) for record in twin.frames()}
        fault(containers, service)
        containers.wait_ready(BACK_S)

        moment = twin.now()
        newest = twin.await_tracked_frame(after=moment, deadline_s=60)
        twin.await_tracked_frame(run=newest.run, frame=newest.frame + 20, deadline_s=60)
        assert twin.command("sim.pause").ok

    with watch() as reader:
        last_run, _ = settle(reader)
        stored = FirstCopies(reader) if fault is away else reader
        assert acknowledged <= {(record.sequence, record.message_id) for record in reader.frames()}
        ends = {record.run: record.frame for record in reader.frames()}
        for run in {first, last_run}:
            check_frames(stored, run, ends[run])
            check_tracks(stored, run, ends[run])
        events = {record.headers["ce-id"] for record in reader.events() if record.subject != topics.AUDIT.subject}
        reader.await_until("every event is registered", lambda: events <= set(registered()), deadline_s=60)
        assert reader.command("sim.start").ok
    doubled = [event for event, times in Counter(registered()).items() if times > 1]
    assert doubled == []
    assert containers.execute("registrar", "qiki", "events", "verify", "--dir", "/data/audit")[0] == 0


def test_what_is_stored_survives_down_and_up(container_stack, containers, watch):
    with watch() as twin:
        begun(twin)
        assert twin.command("sim.pause").ok
        settle(twin)
        stored = [(record.sequence, record.message_id) for record in twin.frames()]
    container_stack.stop()
    container_stack.up()
    with watch() as reader:
        reader.await_until("what was stored is read", lambda: len(reader.frames()) >= len(stored))
        assert [(record.sequence, record.message_id) for record in reader.frames()][: len(stored)] == stored


def test_a_broken_agent_does_not_end_the_workspace(containers):
    before = containers.of_service("qiki-dev").attrs["State"]["StartedAt"]
    for _ in range(3):
        pids = containers.execute("qiki-dev", "pgrep", "-f", "^python -m q_core_agent")[1].split()
        assert pids
        assert containers.execute("qiki-dev", "kill", "-KILL", *pids)[0] == 0
        containers.until(
            "the agent to be another process",
            lambda old=pids: (
                set(containers.execute("qiki-dev", "pgrep", "-f", "^python -m q_core_agent")[1].split()) - set(old)
            ),
            BACK_S,
        )
    containers.wait_ready(BACK_S)
    assert containers.of_service("qiki-dev").attrs["State"]["StartedAt"] == before
