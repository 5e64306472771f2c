"""The observer: whole frames only, alerts that hold, runs that change, inputs that fall silent."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.agent.perception.frames import KEPT_FRAMES, PATIENCE_FRAMES, Assembly
from qiki.agent.perception.observer import KEPT_RUNS, Observer
from qiki.agent.world import TELEMETRY, TRACKS, World
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.events import GUARD_RESUMED


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
    observer.take_tracked(make.tracked(0, 1), 0, 0, 1, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (0, 0, 0)


def test_half_frame_leaves_the_one_before(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0)
    observer.take_tracked(make.tracked(1, 2), 1, 0, 9, 0.1)
    observer.take_track(make.track(1), make.RUN, 1, 10, 0.1)
    observer.take_track(make.track(1), make.RUN, 1, 10, 0.1)  # twice is still one
    observer.take_track(make.track(2), make.RUN, 1, 11, 0.1)
    assert shown(observer.world(1, 0.1, None)) == (0, 1, 0)
    assert not observer.complete(make.RUN, 1)
    observer.take_alert(make.alert(2, 1), make.RUN, 1, 12, 0.1)
    assert shown(observer.world(1, 0.1, None)) == (1, 2, 1)
    assert observer.complete(make.RUN, 1)


def estimated(world: Any) -> list[bool]:
    return [seen.estimate is not None for seen in world.tracks]


def test_a_frame_is_shown_with_all_parts_of_its_estimates(observer: Observer, make: Any):
    for number in (1, 2):
        observer.take_track(make.track(number), make.RUN, 0, number, 0.0)
    observer.take_estimates(make.estimates(0, 2, part=2, parts=2), 8, 0.0)
    observer.take_tracked(make.tracked(0, 2), 0, 2, 1, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (None, 0, 0)
    observer.take_estimates(make.estimates(0, 1, part=1, parts=2), 7, 0.1)
    world = observer.world(1, 0.2, None)
    assert shown(world) == (0, 2, 0)
    found = [seen.estimate for seen in world.tracks]
    assert [one.report.track_id for one in found] == [make.track_id(1), make.track_id(2)]
    assert [(one.evidence.subject, one.evidence.sequence, one.evidence.age_s) for one in found] == [
        ("qiki.estimates.v1.tracks", 7, 0.1),
        ("qiki.estimates.v1.tracks", 8, 0.2),
    ]


def test_without_estimates_a_frame_is_shown_at_once(observer: Observer, make: Any):
    observer.take_track(make.track(1), make.RUN, 0, 1, 0.0)
    observer.take_tracked(make.tracked(0, 1), 0, 0, 1, 0.0)
    assert estimated(observer.world(1, 0.0, None)) == [False]


def test_estimates_are_awaited_until_the_next_frame_is_tracked(observer: Observer, make: Any):
    """A lost part costs a frame's time, not the tracks."""
    for frame in (0, 1):
        observer.take_track(make.track(1), make.RUN, frame, 1 + frame, 0.0)
        observer.take_tracked(make.tracked(frame, 1), 0, 1, 1 + frame, 0.0)
        assert observer.complete(make.RUN, frame) is False
    world = observer.world(1, 0.0, None)
    assert (shown(world), estimated(world)) == ((0, 1, 0), [False])
    observer.take_estimates(make.estimates(0, 1), 7, 0.0)  # of a frame that is shown: too late
    assert estimated(observer.world(1, 0.0, None)) == [False]
    observer.take_estimates(make.estimates(1, 1), 8, 0.0)
    world = observer.world(1, 0.0, None)
    assert (shown(world), estimated(world)) == ((1, 1, 0), [True])


def test_estimates_of_another_frame_or_run_are_not_shown(observer: Observer, bridge: Any, make: Any):
    observer.take_estimates(make.estimates(1, 1), 1, 0.0)
    observer.take_estimates(make.estimates(0, 1, run=make.run(9)), 2, 0.0)
    bridge.frame(0, (1,), 0.0)
    assert estimated(observer.world(1, 0.0, None)) == [False]


def test_later_frame_waits_for_earlier_reports_of_the_guard(observer: Observer, bridge: Any, make: Any):
    bridge.frame(0, (1,), 0.0)
    observer.take_tracked(make.tracked(1, 0), 1, 0, 9, 0.0)
    bridge.frame(2, (1,), 0.0)
    assert shown(observer.world(1, 0.0, None)) == (0, 1, 0)
    observer.take_alert(make.alert(1, 1), make.RUN, 1, 9, 0.0)
    assert shown(observer.world(1, 0.0, None)) == (2, 1, 1)


def test_guard_message_that_never_comes_holds_up_so_many_frames_only(observer: Observer, bridge: Any, make: Any):
    observer.take_tracked(make.tracked(0, 0), 1, 0, 9, 0.0)
    for frame in range(1, PATIENCE_FRAMES + 1):
        assert observer.world(1, 0.0, None).frame is None
        bridge.frame(frame, (), 0.0)
    assert observer.world(1, 0.0, None).frame == PATIENCE_FRAMES


def test_frame_that_is_whole_late_is_dropped(observer: Observer, bridge: Any, make: Any):
    observer.take_tracked(make.tracked(1, 1), 0, 0, 1, 0.0)
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


def test_frames_may_come_before_the_telemetry_of_their_run(observer: Observer, bridge_of: Any, make: Any):
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


# StalenessMonitor


@pytest.fixture
def paced(bridge: Any) -> Any:
    """A bridge whose frames are known to come at 10 Hz."""
    bridge.frame(0, (), 0.0)
    bridge.frame(1, (), 0.0)
    return bridge


def alive(observer: Observer, now_s: float) -> tuple[bool, bool]:
    inputs = observer.world(1, now_s, None).inputs
    return inputs[TRACKS].alive, inputs[TELEMETRY].alive


def test_telemetry_falls_silent(observer: Observer):
    assert alive(observer, 5.0) == (False, True)
    assert alive(observer, 5.1) == (False, False)


def test_tracks_fall_silent_while_the_simulation_runs(observer: Observer, paced: Any, make: Any):
    paced.frame(5, (), 0.5)
    observer.take_telemetry(make.telemetry(1.0), 1.0)
    observer.take_telemetry(make.telemetry(1.5), 1.5)
    assert alive(observer, 1.5) == (True, True)
    observer.take_telemetry(make.telemetry(1.6), 1.6)
    assert alive(observer, 1.6) == (False, True)
    paced.frame(16, (), 1.7)
    observer.take_telemetry(make.telemetry(1.8), 1.8)  # which shows that they have caught up
    assert alive(observer, 1.8) == (True, True)


@pytest.mark.parametrize("held", [{"running": False}, {"paused": True}])
def test_no_frames_are_due_while_time_is_held(observer: Observer, paced: Any, make: Any, held: dict[str, bool]):
    paced.frame(5, (), 0.5)
    for second in range(1, 20):
        observer.take_telemetry(make.telemetry(0.5, sim=held), float(second))
        assert alive(observer, second + 0.9) == (True, True)
    observer.take_telemetry(make.telemetry(0.5), 20.0)
    assert alive(observer, 20.9) == (True, True)
    observer.take_telemetry(make.telemetry(1.6), 21.1)
    assert alive(observer, 21.1) == (False, True)


def test_dead_tracks_stay_dead_while_time_is_held(observer: Observer, paced: Any, make: Any):
    observer.take_telemetry(make.telemetry(3.0), 3.0)
    observer.take_telemetry(make.telemetry(3.0, sim={"running": False}), 4.0)
    observer.take_telemetry(make.telemetry(3.0), 5.0)
    assert alive(observer, 5.0) == (False, True)


def test_slow_simulation_has_more_time(observer: Observer, paced: Any, make: Any):
    for second in range(5):
        observer.take_telemetry(make.telemetry(sim={"speed": 0.125}), float(second))
        assert alive(observer, float(second)) == (True, True)
    observer.take_telemetry(make.telemetry(sim={"speed": 0.125}), 4.1)
    assert alive(observer, 4.1) == (False, True)


def test_new_run_has_time_for_its_first_frame(observer: Observer, paced: Any, make: Any):
    paced.frame(9, (), 0.9)
    observer.take_telemetry(make.telemetry(run=make.run(2)), 1.0)
    observer.take_telemetry(make.telemetry(1.0, make.run(2)), 2.0)
    assert alive(observer, 2.0) == (True, True)
    observer.take_telemetry(make.telemetry(1.1, make.run(2)), 2.1)
    assert alive(observer, 2.1) == (False, True)


def test_tracks_that_were_dead_have_never_come_in_a_new_run(observer: Observer, paced: Any, make: Any):
    observer.take_telemetry(make.telemetry(3.0), 3.0)
    observer.take_telemetry(make.telemetry(run=make.run(2)), 3.5)
    assert observer.world(1, 3.5, None).inputs[TRACKS].age_s is None


def test_lockstep_counts_simulated_time(make: Any, bridge_of: Any):
    observer = Observer(1.0, lockstep=True)
    observer.take_telemetry(make.telemetry(0.0), make.START_S)
    bridge = bridge_of(observer)
    bridge.frame(7, (1,), make.START_S)
    bridge.frame(8, (1,), make.START_S)  # read while the clock still stood at the step before
    observer.take_telemetry(make.telemetry(1.0, sim={"running": False}), make.START_S + 1.0)
    world = observer.world(1, make.START_S + 1.0, None)
    assert world.inputs[TRACKS].age_s == pytest.approx(0.2, abs=1e-6)
    assert world.inputs[TELEMETRY].age_s == 0.0
    assert alive(observer, make.START_S + 1.7) == (True, True)
    assert alive(observer, make.START_S + 1.9) == (False, True)


def test_lockstep_goes_back_to_the_epoch_with_a_new_run(make: Any, bridge_of: Any):
    observer = Observer(1.0, lockstep=True)
    observer.take_telemetry(make.telemetry(60.0), make.START_S + 60.0)
    bridge = bridge_of(observer)
    bridge.frame(599, (1,), make.START_S + 60.0)
    bridge.frame(600, (1,), make.START_S + 60.0)
    observer.take_telemetry(make.telemetry(0.5, make.run(2)), make.START_S + 0.5)
    assert alive(observer, make.START_S + 1.0) == (True, True)
    assert alive(observer, make.START_S + 1.6) == (False, True)


def test_frames_that_come_in_time_but_tell_of_long_ago_are_dead(observer: Observer, paced: Any, make: Any):
    """The bridge is 4 s behind, and keeps the rate."""
    for tenth in range(40, 60):
        paced.frame(tenth - 40, (1,), tenth / 10)
        if tenth % 10 == 0:
            observer.take_telemetry(make.telemetry(tenth / 10), tenth / 10)
    assert alive(observer, 5.9) == (False, True)
    world = observer.world(1, 5.9, None)
    assert world.inputs[TRACKS].age_s == pytest.approx(4.0)
    assert world.tracks[0].evidence.age_s == pytest.approx(4.0)
    paced.frame(59, (1,), 5.9)
    observer.take_telemetry(make.telemetry(6.0), 6.0)
    assert alive(observer, 6.0) == (True, True)
    assert observer.world(1, 6.0, None).inputs[TRACKS].age_s == pytest.approx(0.2)


def test_fast_simulation_is_late_by_the_wall_clock(observer: Observer, paced: Any, make: Any):
    fast = {"speed": 50.0}
    observer.take_telemetry(make.telemetry(100.0, sim=fast), 2.0)
    paced.frame(1000, (), 2.0)
    observer.take_telemetry(make.telemetry(130.0, sim=fast), 2.6)
    assert alive(observer, 2.6) == (True, True)
    paced.frame(1001, (), 2.6)
    observer.take_telemetry(make.telemetry(160.0, sim=fast), 3.2)
    assert alive(observer, 3.2) == (False, True)


def test_frames_have_time_while_they_catch_up_with_a_step(observer: Observer, paced: Any, make: Any):
    held = {"running": False}
    for second in range(3):
        observer.take_telemetry(make.telemetry(20.0 * second, sim=held), float(second))
        assert alive(observer, float(second)) == (True, True)


def test_late_input_is_alive_once_it_has_caught_up_while_time_is_held(observer: Observer, paced: Any, make: Any):
    observer.take_telemetry(make.telemetry(3.0), 0.1)
    assert alive(observer, 0.1) == (False, True)
    observer.take_telemetry(make.telemetry(3.0, sim={"running": False}), 0.2)
    assert alive(observer, 0.2) == (False, True)
    paced.frame(30, (), 0.3)
    observer.take_telemetry(make.telemetry(3.0, sim={"running": False}), 0.4)
    assert alive(observer, 0.4) == (True, True)


def slow_run(observer: Observer, make: Any, run: str, period_s: float, seconds: int, begin_s: float = 0.0) -> set[bool]:
    """Whether tracks were alive, each second of a run whose frames come so seldom."""
    seen = set()
    for second in range(seconds):
        now_s = begin_s + second
        if second % period_s == 0:
            number = int(second // period_s)
            notice = make.tracked(number, 0, run).model_copy(update={"timestamp": make.telemetry(second).timestamp})
            observer.take_tracked(notice, 0, 0, round(now_s) + 1, now_s)
        observer.take_telemetry(make.telemetry(float(second), run), now_s)
        seen.add(alive(observer, now_s)[0])
    return seen


def test_run_whose_frames_come_seldom_is_alive_from_its_first_one(observer: Observer, make: Any):
    assert slow_run(observer, make, make.RUN, 4, 30) == {True}
    observer.take_telemetry(make.telemetry(50.0), 50.0)
    assert not alive(observer, 50.0)[0]


def test_pace_is_that_of_the_run_before_until_the_new_one_shows_its_own(observer: Observer, make: Any):
    assert slow_run(observer, make, make.RUN, 2, 20) == {True}
    assert slow_run(observer, make, make.run(2), 10, 30, begin_s=20.0) == {True}
    assert slow_run(observer, make, make.run(3), 40, 100, begin_s=50.0) == {True}
    assert slow_run(observer, make, make.run(4), 1, 10, begin_s=150.0) == {True}
    for second in range(160, 166):
        observer.take_telemetry(make.telemetry(second - 150.0, make.run(4)), float(second))
    assert alive(observer, 165.0) == (False, True)


def test_radar_that_was_off_does_not_change_the_pace(observer: Observer, paced: Any, make: Any):
    late = make.tracked(2, 0).model_copy(update={"timestamp": make.telemetry(60.0).timestamp})
    observer.take_tracked(late, 0, 0, 99, 60.0)
    observer.take_telemetry(make.telemetry(60.0), 60.0)
    observer.take_telemetry(make.telemetry(61.1), 61.1)
    assert alive(observer, 61.1) == (False, True)


def test_telemetry_that_comes_seldom_is_alive(observer: Observer, make: Any):
    for second in (10, 20, 30, 31, 40):  # one of them out of turn
        observer.take_telemetry(make.telemetry(float(second)), float(second))
    assert alive(observer, 89.0)[1]
    assert not alive(observer, 91.0)[1]


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
        add(observer.take_tracked, make.tracked(frame, len(tracks)), len(raised) + len(ended), 0)
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
    """The reference: alerts that hold at a frame, by the whole history."""
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
        assembly.add_guard(frame, "a report")
    assert len(assembly._parts) == KEPT_FRAMES


def test_a_resumed_alert_is_an_alert_until_its_next_end_and_evidence_of_its_own(make: Any):
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    reports = {
        1: lambda: observer.take_alert(make.alert(1, 1), make.RUN, 1, 11, 0.0),
        2: lambda: observer.take_cleared(make.cleared(1, 2), 2, 12, 0.0),
        3: lambda: observer.take_resumed(make.alert(1, 3), make.RUN, 3, 13, 0.0),
        4: lambda: observer.take_cleared(make.cleared(1, 4), 4, 14, 0.0),
    }
    shown = []
    for frame, take in reports.items():
        observer.take_tracked(make.tracked(frame, 1), 1, 0, frame, 0.0)
        observer.take_track(make.track(1, frame * 0.1), make.RUN, frame, frame, 0.0)
        take()
        shown.append([one.evidence.sequence for one in observer.world(1, 0.0, None).alerts])
        if frame == 3:
            (alert,) = observer.world(1, 0.0, None).alerts
            assert alert.evidence.subject == GUARD_RESUMED.subject
    assert shown == [[11], [], [13], []]
