"""A run in one process: what it yields, what orders do, and that it repeats."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from qiki.agent import Proposal, World, fire
from qiki.agent.agent import AgentParameters
from qiki.contracts.enums import ProposalStatus
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import ACTUATOR_OK, GUARD_ALERT, RUN_STARTED, SAFE_MODE_ENTERED, SystemMode
from qiki.contracts.radar import RadarFrame, RadarTrack, TrackedFrame
from qiki.contracts.sim import SimOrder
from qiki.contracts.telemetry import TruthSnapshot
from qiki.errors import UserError
from qiki.flight import Flight, Moment, scan_of
from qiki.tracking import scan_from_frame
from qiki.world.errors import OrderError
from qiki.world.scenario import load_scenario

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
INGEST = datetime(2026, 1, 1, tzinfo=UTC)


def flight(scenario: str = "mixed-traffic", **options: object) -> Flight:
    return Flight(load_scenario(scenario), **{"run_id": RUN, **options})


def said(moments: list[Moment]) -> list[tuple[str, bytes]]:
    """Every message of these moments."""
    frames = [message for moment in moments if moment.frame for message in moment.frame.messages(INGEST)]
    events = [event.message for moment in moments for event in moment.events]
    return [(message.subject, message.body) for message in (*frames, *events)]


class Nudge:
    """An engine that fires once."""

    def __init__(self) -> None:
        self.worlds: list[World] = []

    def propose(self, world: World) -> list[Proposal]:
        self.worlds.append(world)
        return [Proposal((fire("up", 100.0, 1.0),), "up we go")] if len(self.worlds) == 20 else []


def test_a_frame_has_the_messages_of_a_stack():
    moments = list(flight(agent=None).fly(1.0))
    frames = [moment.frame for moment in moments if moment.frame]
    assert [frame.measured.number for frame in frames] == list(range(10))
    messages = frames[-1].messages(INGEST)
    models = {
        "qiki.radar.v1.frames": RadarFrame,
        "qiki.radar.v1.tracks": RadarTrack,
        "qiki.estimates.v1.tracks": TrackEstimates,
        "qiki.tracker.v1.frames": TrackedFrame,
        "qiki.truth.v1.contacts": TruthSnapshot,
    }
    payloads = [models[one.subject].from_json(one.body) for one in messages if one.subject in models]
    notice = payloads[-1]
    assert (notice.run_id, notice.frame, notice.tracks) == (str(RUN), 9, len(frames[-1].tracked.reports))
    estimates = payloads[-2]
    assert (estimates.run_id, estimates.frame, len(estimates.tracks)) == (str(RUN), 9, notice.tracks)
    assert messages[-1].headers["x-qiki-estimates"] == "1"
    assert sum(isinstance(one, RadarTrack) for one in payloads) == notice.tracks > 0


@pytest.mark.parametrize("scenario", ["mixed-traffic", "clutter", "formation"])
def test_a_scan_past_the_wire_is_the_scan_of_the_published_frame(scenario: str):
    """The tracker of a stack reads JSON; the numbers must be the same to the last bit."""
    for moment in flight(scenario, agent=None).fly(5.0):
        if moment.frame is None:
            continue
        measured = moment.frame.measured
        published = RadarFrame.from_json(moment.frame.messages(INGEST)[0].body)
        one, other = scan_of(measured), scan_from_frame(published, measured.own_position_m, measured.own_velocity_mps)
        for name in one.__dataclass_fields__:
            assert list(map(str, getattr(one, name) if name != "t_us" else [one.t_us])) == list(
                map(str, getattr(other, name) if name != "t_us" else [other.t_us])
            ), name


def test_the_same_run_repeats_to_the_byte_and_another_seed_does_not():
    one, other, seeded = (said(list(flight(seed=seed).fly(20.0))) for seed in (7, 7, 8))
    assert one == other
    assert one != seeded


def test_without_a_run_id_it_follows_from_scenario_and_seed():
    one, other, seeded = (Flight(load_scenario("empty"), seed=seed).world.run_id for seed in (1, 1, 2))
    assert one == other != seeded


def test_it_begins_with_its_event_and_the_agent_boots():
    moments = list(flight().fly(2.0))
    assert moments[0].events[0].kind is RUN_STARTED
    modes = [event.body for moment in moments for event in moment.events if isinstance(event.body, SystemMode)]
    assert [mode.mode for mode in modes] == ["BOOTING", "NORMAL"]


def test_a_close_stranger_is_an_alert_and_a_reason_for_safe_mode():
    moments = list(flight().fly(25.0))
    alerts = [
        (moment.t_s, alert) for moment in moments if moment.frame for alert in moment.frame.tracked.judgement.alerts
    ]
    assert alerts[0][1].rule_id == "UNKNOWN_CONTACT_CLOSE"
    subjects = [message for moment in moments if moment.frame for message in moment.frame.messages(INGEST)]
    assert any(message.subject == GUARD_ALERT.subject for message in subjects)
    entered = [m.t_s for m in moments for event in m.events if event.kind is SAFE_MODE_ENTERED]
    assert entered
    assert entered[0] == pytest.approx(alerts[0][0], abs=0.1)


class Watcher:
    """An engine that keeps what it sees."""

    def __init__(self) -> None:
        self.worlds: list[World] = []

    def propose(self, world: World) -> list[Proposal]:
        self.worlds.append(world)
        return []

    def tracks(self) -> set[str]:
        return {str(seen.report.track_id) for world in self.worlds for seen in world.tracks}

    def alerts(self) -> set[tuple[str, str]]:
        alerts = (active.alert for world in self.worlds for active in world.alerts)
        return {(str(alert.track_id), alert.severity) for alert in alerts}


def test_a_hidden_track_is_published_and_the_agent_does_not_see_it():
    whole, partial = Watcher(), Watcher()
    seen = list(flight(engines={"watcher": whole}).fly(25.0))
    (near,) = (track for track, severity in whole.alerts() if severity == "critical")
    hidden = list(flight(engines={"watcher": partial}, hidden=[near]).fly(25.0))
    assert partial.tracks() == whole.tracks() - {near} != set()
    assert partial.alerts() == {(track, severity) for track, severity in whole.alerts() if track != near}
    assert all(one.estimate is not None for world in partial.worlds[-9:] for one in world.tracks)
    entered = [[m.t_s for m in ms for event in m.events if event.kind is SAFE_MODE_ENTERED] for ms in (seen, hidden)]
    assert len(entered[0]) == 1
    assert entered[1] == []
    until = round(entered[0][0] / 0.05)  # from then on the vehicle is in safe mode in one of them
    assert published(seen[:until]) == published(hidden[:until])


def published(moments: list[Moment]) -> list[tuple[str, bytes]]:
    frames = [moment.frame for moment in moments if moment.frame]
    return [(message.subject, message.body) for frame in frames for message in frame.messages(INGEST)]


def test_a_frame_without_a_track_has_nothing_of_it():
    frames = [moment.frame for moment in flight(agent=None).fly(25.0) if moment.frame]
    frame = next(frame for frame in frames if frame.tracked.spoofers)
    reports = frame.tracked.reports
    spoofer = reports.track_id[frame.tracked.spoofers[0]]
    other = next(name for name in reports.track_id if name != spoofer)
    without = frame.without([spoofer])
    assert any(spoofer.encode() in one.body for one in frame.messages(INGEST))
    assert not any(spoofer.encode() in one.body for one in without.messages(INGEST))
    assert frame.without([]) is frame
    kept = frame.without([other]).tracked
    assert [kept.reports.track_id[row] for row in kept.spoofers] == [spoofer]


def test_an_engine_proposes_the_agent_decides_and_the_vehicle_obeys():
    engine = Nudge()
    flown = flight("empty", engines={"nudge": engine})
    moments = list(flown.fly(5.0))
    assert len(engine.worlds) == 50
    (decision,) = [one for moment in moments for one in moment.decisions if one.source == "nudge"]
    assert decision.status is ProposalStatus.EXECUTED
    answers = [event.body for moment in moments for event in moment.events if event.kind is ACTUATOR_OK]
    orders = [SimOrder.from_json(order.body) for moment in moments for order in moment.orders]
    (action,) = decision.actions
    assert action.command_id in [answer.command_id for answer in answers]
    assert action.command_id in [order.message_id for order in orders]
    assert flown.world.vehicle.velocity_mps[2] > 0


def test_a_command_takes_effect_at_the_next_tick():
    flown = flight("empty", agent=None)
    flown.command("sim.rcs.fire", axis="up", pct=100.0, duration_s=1.0)
    assert flown.world.vehicle.velocity_mps == (0.0, 0.0, 0.0)
    flown.tick()
    assert flown.world.vehicle.velocity_mps[2] > 0


@pytest.mark.parametrize(
    ("name", "parameters", "error", "reason"),
    [
        ("sim.rcs.fire", {"axis": "up", "pct": 101.0, "duration_s": 1.0}, OrderError, "pct"),
        ("sim.fly", {}, OrderError, "unknown command 'sim.fly'"),
        ("sim.pause", {}, UserError, "sim.pause commands the simulation"),
    ],
)
def test_a_wrong_command_is_refused_with_the_reason(name, parameters, error, reason):
    with pytest.raises(error, match=reason):
        flight("empty", agent=None).command(name, **parameters)


def test_the_agent_decides_every_agent_ticks():
    engine = Nudge()
    list(flight("empty", engines={"nudge": engine}, agent_ticks=10).fly(5.0))
    assert [round(world.own.sim_state.tick) for world in engine.worlds] == list(range(10, 101, 10))
    assert all(world.inputs["tracks"].alive for world in engine.worlds)


def test_an_agent_that_trusts_nothing_refuses():
    engine = Nudge()
    cautious = AgentParameters(conduct="lockstep", confidence_threshold=1.1)
    flown = flight("empty", engines={"nudge": engine}, agent=cautious)
    moments = list(flown.fly(5.0))
    (decision,) = [one for moment in moments for one in moment.decisions if one.source == "nudge"]
    assert decision.status is ProposalStatus.REJECTED
    assert flown.world.vehicle.velocity_mps == (0.0, 0.0, 0.0)
