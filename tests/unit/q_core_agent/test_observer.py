"""The observer: whole frames only, alerts that hold, runs that change, inputs that fall silent."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from q_core_agent.assembly import KEPT_FRAMES, PATIENCE_FRAMES, Assembly
from q_core_agent.observer import KEPT_RUNS, Observer
from q_core_agent.world import TELEMETRY, TRACKS, World
from qiki.contracts.enums import RadarTrackStatus


@pytest.fixture
def observer(make: Any) -> Observer:
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    return observer


@pytest.fixture
def bridge(observer: Observer, bridge_of: Any) -> Any:
    return bridge_of(observer)


def shown(world: World) -> tuple[int | None, int, int]:
    return world.frame, len(world.tracks), len(world.alerts)


def test_nothing_is_known_at_first():
    world = Observer(1.0, lockstep=False).world(1, 5.0, None)
    assert (world.run_id, world.t_s, world.own, world.frame, world.tracks, world.alerts) == (
        "",
        0.0,
        None,
        None,
        (),
        (),
    )
    assert not any(one.alive or one.age_s is not None for one in world.inputs.values())


def test_whole_frame_is_shown_with_evidence(observer: Observer, bridge: Any, make: Any):
    bridge.frame(3, (1, 2), now_s=0.4)
    world = observer.world(1, 0.5, None)
    assert [seen.report.track_id for seen in world.tracks] == [make.track_id(1), make.track_id(2)]
    assert [(seen.evidence.subject, seen.evidence.sequence, seen.evidence.age_s) for seen in world.tracks] == [
        ("qiki.radar.v1.tracks", 1, 0.1),
        ("qiki.radar.v1.tracks", 2, 0.1),
    ]
    assert world.frame == 3
    assert world.t_s == pytest.approx(make.START_S + 0.3)
    assert world.evidence(TRACKS).sequence == 3


def test_lost_track_is_not_shown(observer: Observer, make: Any):
    observer.take_track(make.track(1, status=RadarTrackStatus.LOST), make.RUN, 0, 1, 0.0)
    observer.take_tracked(make.tracked(0, 1), 0, 1, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (0, 0, 0)


def test_half_frame_leaves_the_one_before(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0)
    observer.take_tracked(make.tracked(1, 2), 1, 9, 0.1)
    observer.take_track(make.track(1), make.RUN, 1, 10, 0.1)
    observer.take_track(make.track(1), make.RUN, 1, 10, 0.1)  # twice is still one
    observer.take_track(make.track(2), make.RUN, 1, 11, 0.1)
    assert shown(observer.world(1, 0.1, None)) == (0, 1, 0)
    assert not observer.complete(make.RUN, 1)
    observer.take_alert(make.alert(2, 1), make.RUN, 1, 12, 0.1)
    assert shown(observer.world(1, 0.1, None)) == (1, 2, 1)
    assert observer.complete(make.RUN, 1)


def test_later_frame_waits_for_what_the_guard_said_before(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0)
    observer.take_tracked(make.tracked(1, 0), 1, 9, 0.0)
    bridge.frame(2, (1,), 0.0)
    assert shown(observer.world(1, 0.0, None)) == (0, 1, 0)
    observer.take_alert(make.alert(1, 1), make.RUN, 1, 9, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (2, 1, 1)


def test_guard_message_that_never_comes_holds_up_so_many_frames_only(observer: Observer, bridge: Any, make: Any):
    observer.take_tracked(make.tracked(0, 0), 1, 9, 0.0)
    for frame in range(1, PATIENCE_FRAMES + 1):
        assert observer.world(1, 0.0, None).frame is None
        bridge.frame(frame, (), 0.0)
    assert observer.world(1, 0.0, None).frame == PATIENCE_FRAMES


def test_frame_that_is_whole_late_is_dropped(observer: Observer, bridge: Any, make: Any):
    observer.take_tracked(make.tracked(1, 1), 0, 1, 0.0)
    bridge.frame(2, (1, 2), 0.0)
    observer.take_track(make.track(5), make.RUN, 1, 3, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (2, 2, 0)
    assert observer.complete(make.RUN, 1)


def test_alert_of_a_frame_that_others_overtook_counts(observer: Observer, bridge: Any, make: Any):
    bridge.frame(2, (1,), 0.0)
    observer.take_alert(make.alert(1, 1), make.RUN, 1, 9, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (2, 1, 1)


def test_alert_that_is_read_late_counts_only_while_its_track_is_there(observer: Observer, bridge: Any, make: Any):
    bridge.frame(2, (1,), 0.0)
    observer.take_alert(make.alert(2, 1), make.RUN, 1, 9, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (2, 1, 0)


def test_alert_holds_until_it_is_cleared(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1, 2), 0.0, alerts=(make.alert(1, 0), make.alert(2, 0)))
    bridge.frame(1, (1, 2), 0.1)
    assert [one.alert.track_id for one in observer.world(1, 0.1, None).alerts] == sorted(
        (make.track_id(1), make.track_id(2)), key=str
    )
    bridge.frame(2, (1, 2), 0.2, ended=(make.cleared(1, 2),))
    (left,) = observer.world(1, 0.2, None).alerts
    assert left.alert.track_id == make.track_id(2)
    assert (left.evidence.subject, left.evidence.age_s) == ("qiki.events.v1.radar.guard", 0.2)


def test_alert_ends_with_its_track(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0, alerts=(make.alert(1),))
    bridge.frame(1, (), 0.1)
    bridge.frame(2, (1,), 0.2)
    assert shown(observer.world(1, 0.2, None)) == (2, 1, 0)


def test_end_that_is_read_before_its_alert(observer: Observer, bridge: Any, make: Any):
    bridge.frame(5, (1,), 0.0)
    observer.take_cleared(make.cleared(1, 4), 4, 7, 0.0)
    observer.take_alert(make.alert(1, 3), make.RUN, 3, 6, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (5, 1, 0)


def test_started_in_the_middle_of_a_run(make: Any, bridge_of: Any):
    """What the guard said before: of this run, of a track gone, of an alert over, and of a run long past."""
    observer = Observer(1.0, lockstep=False)
    observer.take_alert(make.alert(1), make.run(9), 40, 1, 0.0)
    observer.take_alert(make.alert(1), make.RUN, 10, 2, 0.0)
    observer.take_alert(make.alert(2), make.RUN, 11, 3, 0.0)
    observer.take_alert(make.alert(3), make.RUN, 12, 4, 0.0)
    observer.take_cleared(make.cleared(2, 20), 20, 5, 0.0)
    observer.take_telemetry(make.telemetry(60.0), 0.0)
    assert observer.world(1, 0.0, None).alerts == ()
    bridge_of(observer).frame(600, (1, 2), 0.0)
    (active,) = observer.world(1, 0.0, None).alerts
    assert (active.alert.track_id, active.evidence.sequence) == (make.track_id(1), 2)


def test_new_run_empties_the_old_one(observer: Observer, bridge: Any, bridge_of: Any, make: Any):
    bridge.frame(7, (1,), 0.0, alerts=(make.alert(1),))
    observer.take_telemetry(make.telemetry(run=make.run(2)), 0.1)
    bridge.frame(8, (1,), 0.1, alerts=(make.alert(1, 8),))  # late, of the run that is over
    world = observer.world(1, 0.1, None)
    assert (world.run_id, shown(world)) == (make.run(2), (None, 0, 0))
    bridge_of(observer, make.run(2)).frame(0, (4,), 0.2)
    assert shown(observer.world(1, 0.2, None)) == (0, 1, 0)


def test_frames_may_come_before_telemetry_tells_of_their_run(observer: Observer, bridge_of: Any, make: Any):
    bridge_of(observer, make.run(2)).frame(0, (4,), 0.1)
    assert shown(observer.world(1, 0.1, None)) == (None, 0, 0)
    observer.take_telemetry(make.telemetry(run=make.run(2)), 0.2)
    assert shown(observer.world(1, 0.2, None)) == (0, 1, 0)


def test_another_radars_alerts_count_until_it_is_silent(observer: Observer, bridge_of: Any, make: Any):
    other = bridge_of(observer, make.run(3))
    other.frame(0, (1,), 0.0, alerts=(make.alert(1),))
    assert shown(observer.world(1, 5.0, None)) == (None, 0, 1)
    assert shown(observer.world(1, 5.1, None)) == (None, 0, 0)
    other.frame(1, (1,), 6.0)
    assert shown(observer.world(1, 6.0, None)) == (None, 0, 1)  # it is back, and its guard never took it back


# Liveness


def alive(observer: Observer, now_s: float) -> tuple[bool, bool]:
    inputs = observer.world(1, now_s, None).inputs
    return inputs[TRACKS].alive, inputs[TELEMETRY].alive


def test_telemetry_falls_silent(observer: Observer):
    assert alive(observer, 5.0) == (False, True)
    assert alive(observer, 5.1) == (False, False)


def test_tracks_fall_silent_while_the_simulation_runs(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (), 0.5)
    observer.take_telemetry(make.telemetry(1.0), 1.0)
    observer.take_telemetry(make.telemetry(1.5), 1.5)
    assert alive(observer, 1.5) == (True, True)
    observer.take_telemetry(make.telemetry(1.6), 1.6)
    assert alive(observer, 1.6) == (False, True)
    bridge.frame(1, (), 1.7)
    assert alive(observer, 1.7) == (True, True)


@pytest.mark.parametrize("held", [{"running": False}, {"paused": True}])
def test_no_frames_are_due_while_time_is_held(observer: Observer, bridge: Any, make: Any, held: dict[str, bool]):
    bridge.frame(0, (), 0.5)
    for second in range(1, 20):
        observer.take_telemetry(make.telemetry(0.5, sim=held), float(second))
        assert alive(observer, second + 0.9) == (True, True)
    observer.take_telemetry(make.telemetry(0.5), 20.0)
    assert alive(observer, 20.9) == (True, True)
    observer.take_telemetry(make.telemetry(1.6), 21.1)
    assert alive(observer, 21.1) == (False, True)


def test_dead_tracks_stay_dead_while_time_is_held(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (), 0.0)
    observer.take_telemetry(make.telemetry(3.0), 3.0)
    observer.take_telemetry(make.telemetry(3.0, sim={"running": False}), 4.0)
    observer.take_telemetry(make.telemetry(3.0), 5.0)
    assert alive(observer, 5.0) == (False, True)


def test_slow_simulation_has_more_time(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (), 0.0)
    for second in range(5):
        observer.take_telemetry(make.telemetry(sim={"speed": 0.125}), float(second))
        assert alive(observer, float(second)) == (True, True)
    observer.take_telemetry(make.telemetry(sim={"speed": 0.125}), 4.1)
    assert alive(observer, 4.1) == (False, True)


def test_new_run_has_time_for_its_first_frame(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (), 0.9)
    observer.take_telemetry(make.telemetry(run=make.run(2)), 1.0)
    observer.take_telemetry(make.telemetry(1.0, make.run(2)), 2.0)
    assert alive(observer, 2.0) == (True, True)
    observer.take_telemetry(make.telemetry(1.1, make.run(2)), 2.1)
    assert alive(observer, 2.1) == (False, True)


def test_tracks_that_were_dead_have_never_come_in_a_new_run(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (), 0.0)
    observer.take_telemetry(make.telemetry(3.0), 3.0)
    observer.take_telemetry(make.telemetry(run=make.run(2)), 3.5)
    assert observer.world(1, 3.5, None).inputs[TRACKS].age_s is None


def test_lockstep_counts_simulated_time(make: Any, bridge_of: Any):
    observer = Observer(1.0, lockstep=True)
    observer.take_telemetry(make.telemetry(0.0), make.START_S)
    bridge_of(observer).frame(8, (1,), make.START_S)  # read while the clock still stood at the step before
    observer.take_telemetry(make.telemetry(1.0, sim={"running": False}), make.START_S + 1.0)
    world = observer.world(1, make.START_S + 1.0, None)
    assert world.inputs[TRACKS].age_s == pytest.approx(0.2, abs=1e-6)
    assert world.inputs[TELEMETRY].age_s == 0.0
    assert alive(observer, make.START_S + 1.7) == (True, True)
    assert alive(observer, make.START_S + 1.9) == (False, True)


def test_lockstep_goes_back_to_the_epoch_with_a_new_run(make: Any, bridge_of: Any):
    observer = Observer(1.0, lockstep=True)
    observer.take_telemetry(make.telemetry(60.0), make.START_S + 60.0)
    bridge_of(observer).frame(600, (1,), make.START_S + 60.0)
    observer.take_telemetry(make.telemetry(0.5, make.run(2)), make.START_S + 0.5)
    assert alive(observer, make.START_S + 1.0) == (True, True)
    assert alive(observer, make.START_S + 1.6) == (False, True)


# Laws


@st.composite
def histories(draw: Any) -> list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Frames: tracks that are there, those that an alert is raised for, those whose alert is ended."""
    frames, held = [], set()
    for _ in range(draw(st.integers(1, 5))):
        tracks = draw(st.sets(st.integers(0, 3)))
        raised = {track for track in tracks - held if draw(st.booleans())}
        ended = {track for track in held if track not in tracks or draw(st.booleans())}
        held = (held | raised) - ended
        frames.append((tuple(sorted(tracks)), tuple(sorted(raised)), tuple(sorted(ended))))
    return frames


def messages(make: Any, observer: Observer, history: Any) -> list[partial[None]]:
    """Feeding of each message, in the order of publishing."""
    feed: list[partial[None]] = []

    def add(take: Callable[..., None], *values: Any) -> None:
        feed.append(partial(take, *values, len(feed) + 1, 0.0))

    for frame, (tracks, raised, ended) in enumerate(history):
        for track in tracks:
            add(observer.take_track, make.track(track), make.RUN, frame)
        for track in raised:
            add(observer.take_alert, make.alert(track, frame), make.RUN, frame)
        for track in ended:
            add(observer.take_cleared, make.cleared(track, frame), frame)
        add(observer.take_tracked, make.tracked(frame, len(tracks)), len(raised) + len(ended))
    return feed


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_whatever_the_order_only_whole_frames_are_shown(make: Any, history: Any, random: Any):
    """What is shown is some frame exactly as it was, never an older one than before, in the end the last."""
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    feed = messages(make, observer, history)
    random.shuffle(feed)
    last = -1
    for take in feed:
        take()
        world = observer.world(1, 0.0, None)
        if world.frame is None:
            assert (world.tracks, world.alerts) == ((), ())
            continue
        assert world.frame >= last
        last = world.frame
        assert {seen.report.track_id for seen in world.tracks} == set(map(make.track_id, history[last][0]))
    assert last == len(history) - 1


@settings(max_examples=60, deadline=None)
@given(histories(), st.lists(st.integers(0, 3), min_size=1))
def test_alerts_are_those_of_the_shown_frame_in_any_interleaving_of_subjects(make: Any, history: Any, choices: Any):
    """Each subject comes in its own order, as streams do; the alerts shown are those that hold at the frame shown."""
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    lanes: dict[str, list[partial[None]]] = {}
    for take in messages(make, observer, history):
        lanes.setdefault(take.func.__name__, []).append(take)
    turn = 0
    while any(lanes.values()):
        names = sorted(name for name, waiting in lanes.items() if waiting)
        lanes[names[choices[turn % len(choices)] % len(names)]].pop(0)()
        turn += 1
        world = observer.world(1, 0.0, None)
        if world.frame is not None:
            assert {one.alert.track_id for one in world.alerts} == set(map(make.track_id, held(history, world.frame)))


def held(history: Any, frame: int) -> set[int]:
    """The reference: alerts that hold at a frame, told from the whole history."""
    holding: set[int] = set()
    for tracks, raised, ended in history[: frame + 1]:
        holding = ((holding | set(raised)) - set(ended)) & set(tracks)
    return holding


def test_memory_is_bounded(make: Any):
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    for number in range(3 * KEPT_RUNS):
        observer.take_alert(make.alert(1), make.run(number), 0, number, 0.0)
    assert len(observer._runs) <= KEPT_RUNS + 1
    assert make.RUN in observer._runs


def test_halves_are_bounded(make: Any):
    assembly = Assembly()
    for frame in range(2 * KEPT_FRAMES):
        assembly.add_guard(frame, "a word")
    assert len(assembly) == KEPT_FRAMES
