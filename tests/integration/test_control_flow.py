"""Commands to the running stack: one acknowledgement each, and an effect that telemetry shows."""

import json
from collections import Counter
from uuid import uuid4

import pytest

from qiki.contracts import headers, topics
from qiki.contracts.enums import RadarTrackStatus, TransponderMode
from qiki.contracts.radar_figures import RadarFigures
from qiki_harness.twin import AwaitedError
from qiki_harness.twin.checks import settle
from qiki_harness.twin.where import above, equal, near, telemetry


@pytest.fixture
def held(world):
    """A world that stands still."""
    return world("single-pass")


@pytest.mark.parametrize(
    ("orders", "effect"),
    [
        (
            [("sim.xpdr.mode", {"mode": "SILENT"})],
            {"comms__xpdr_mode": TransponderMode.SILENT},
        ),
        (
            [("sim.rcs.fire", {"axis": "forward", "pct": 100, "duration_s": 60})],
            {"propulsion__rcs_active": True, "velocity": above(0)},
        ),
        (
            [("sim.rcs.fire", {"axis": "up", "pct": 50, "duration_s": 60}), ("sim.rcs.stop", {})],
            {"propulsion__rcs_active": False, "velocity": equal(0.0)},
        ),
        (
            [("sim.dock.engage", {"port": "B"}), ("power.dock.on", {})],
            {"docking__port": "B", "power__dock_connected": True},
        ),
        (
            [("sim.dock.engage", {}), ("power.dock.on", {}), ("power.dock.off", {})],
            {"docking__port": "A", "power__dock_connected": False},
        ),
        (
            [("sim.dock.engage", {}), ("sim.dock.release", {})],
            {"docking__port": None, "docking__state": "undocked"},
        ),
        (
            [("power.nbl.on", {}), ("power.nbl.set_max", {"max_power_w": 7.5})],
            {"power__nbl_active": True, "power__loads_w__nbl": near(7.5, within=1e-6)},
        ),
        (
            [("power.nbl.on", {}), ("power.nbl.off", {})],
            {"power__nbl_active": False},
        ),
    ],
    ids=["transponder", "thruster", "thruster-stop", "dock-power", "dock-power-off", "undock", "nbl", "nbl-off"],
)
def test_orders_show_in_telemetry(held, orders, effect):
    for name, parameters in orders:
        assert held.command(name, **parameters).ok
    before = held.now()

    assert held.command("sim.step", ticks=20).ok

    held.await_telemetry(telemetry(sim_state__tick=20, **effect), after=before)


def test_a_test_that_conducts_goes_from_tracked_frame_to_tracked_frame(held):
    run = held.await_telemetry(after=held.now(), sim_state__tick=0).data.sim_state.run_id

    frames = [held.step(ticks) for ticks in (1, 1, 1, 1, 20)]  # a frame every second tick

    assert [frame and (frame.run, frame.frame) for frame in frames] == [None, (run, 0), None, (run, 1), (run, 11)]
    assert held.command("sim.start").ok
    with pytest.raises(AwaitedError, match="pause or stop it first"):
        held.step(1)


def test_every_command_gets_exactly_one_acknowledgement(held):
    asked = {
        "sim.start": {"speed": 2.0},
        "sim.pause": {},
        "sim.stop": {},
        "sim.step": {"ticks": 2},
        "sim.reset": {"seed": 3},
        "sim.warp": {},
        "sim.rcs.fire": {"axis": "sideways", "pct": 10, "duration_s": 1},
    }

    acks = {name: held.command(name, **parameters) for name, parameters in asked.items()}

    assert {name: ack.ok for name, ack in acks.items()} == {
        name: name not in {"sim.warp", "sim.rcs.fire"} for name in asked
    }
    for name, ack in acks.items():
        assert (ack.kind, ack.payload.command_name) == (name, name)
        assert ack.success is ack.ok
        assert ack.requestId == ack.request_id
        assert (ack.error is None) is ack.ok
        assert ack.payload.status == ("applied" if ack.ok else "rejected")
    assert held.command("sim.stop").ok  # commands are answered in order: nothing of the former is still to come
    counts = Counter(record.data.request_id for record in held.acknowledgements())
    assert [counts[ack.request_id] for ack in acks.values()] == [1] * len(acks)


def test_what_is_no_command_is_refused_once_and_harms_nothing(held):
    nameless = json.dumps({"metadata": {"message_id": (identity := str(uuid4()))}}).encode()
    before = held.now()
    for body in (b"\xff\x00", b"[]", nameless):
        held.publish(topics.COMMANDS.subject, body)

    assert held.command("sim.step", ticks=2).ok

    refused = [record.data for record in held.acknowledgements(after=before, ok=False)]
    assert [ack.request_id for ack in refused] == [None, None, identity]
    assert {ack.error_detail.code for ack in refused} == {"rejected"}
    held.await_tracked_frame(after=before, frame=0)


def test_time_runs_halts_and_goes_on(held):
    twin, before = held, held.now()
    assert twin.command("sim.start", speed=5).ok
    twin.await_telemetry(after=before, sim_state__running=True, sim_state__speed=5.0, sim_state__tick=above(20))

    assert twin.command("sim.pause").ok
    halted = twin.await_telemetry(after=twin.now(), sim_state__paused=True).data
    run, last = settle(twin)
    assert last == halted.sim_state.tick // 2 - 1  # a frame every second tick

    assert not twin.command("sim.start", speed=0).ok
    assert twin.command("sim.start", speed=10).ok
    twin.await_telemetry(
        after=twin.now(), sim_state__running=True, sim_state__speed=10.0, sim_state__tick=above(halted.sim_state.tick)
    )
    assert not twin.command("sim.step", ticks=1).ok, "a step while time passes"
    twin.await_tracked_frame(run=run, frame=last + 20)
    assert twin.command("sim.stop").ok
    twin.await_telemetry(after=twin.now(), sim_state__running=False, sim_state__paused=False)


def test_frames_tell_of_the_radar_of_their_own_run(held):
    """Across resets, while the radar's service goes on reading; the default radar needs no words."""
    twin, said = held, []
    for scenario in ("clutter", "single-pass", "clutter"):
        assert twin.command("sim.reset", scenario=scenario).ok
        assert twin.command("sim.step", ticks=40).ok
        run, last = settle(twin)
        frames = twin.frames(run=run)
        assert [record.frame for record in frames] == list(range(last + 1))
        (told,) = {record.headers.get(headers.RADAR) for record in frames}
        said.append(told and RadarFigures.of_text(told).false_alarm_probability)
    assert said == [1.4e-9, None, 1.4e-9]


def test_a_reset_begins_a_new_run_that_the_tracker_follows(held):
    twin = held
    assert twin.command("sim.step", ticks=40).ok
    first, _ = settle(twin)

    assert not twin.command("sim.reset", scenario="no-such-world").ok
    assert twin.command("sim.reset", scenario="crossing", seed=5).ok
    fresh = twin.await_telemetry(after=twin.now(), sim_state__tick=0).data.sim_state
    assert fresh.run_id != first
    assert twin.command("sim.step", ticks=40).ok

    run, last = settle(twin)
    assert (run, last) == (fresh.run_id, 19)
    old, new = (
        {record.data.track_id for record in twin.tracks(run=one, status=RadarTrackStatus.TRACKED)}
        for one in (first, run)
    )
    assert len(old) == 1
    assert len(new) == 4
    assert not old & new
    assert all(record.data.age_s < 2 for record in twin.tracks(run=run))


def test_a_command_of_three_megabytes_gets_its_one_answer_and_holds_up_no_event(held):
    identity = "36D1B9E0-0000-4000-8000-00000000ABCD"
    body = {"command_name": "x" * 3_000_000, "parameters": {}, "metadata": {"message_id": identity}}
    moment = held.now()

    held.publish(topics.COMMANDS.subject, json.dumps(body).encode())

    held.await_event(code=802, request_id=identity, after=moment)
    answers = [record for record in held.acknowledgements() if record.data.request_id == identity]
    assert [(record.data.ok, record.data.error) for record in answers] == [(False, "rejected")]
    assert len(answers[0].body) < 4000
