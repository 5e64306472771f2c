"""The tracker on small worlds: who is tracked, under which name, and for how long."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import ScanError, TimeReversedError, Tracker, TrackReports
from qiki.tracking.tracks import NO_PLOT

NEW, TRACKED, LOST, COASTING = (
    RadarTrackStatus.NEW,
    RadarTrackStatus.TRACKED,
    RadarTrackStatus.LOST,
    RadarTrackStatus.COASTING,
)


def straight(world: Any, position: Any, velocity: Any, **own: Any):
    """Contacts that fly on: a world by time."""
    position, velocity = np.atleast_2d(position).astype(float), np.atleast_2d(velocity).astype(float)
    return lambda t_s: world(position + t_s * velocity, velocity, **own)


def confirmed(reports: TrackReports):
    return np.isin(reports.status, (TRACKED, COASTING))


def names(history: list[TrackReports]):
    return {name for reports in history for name in reports.track_id}


def test_one_contact_is_one_track(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, straight(world, [800, 1_500, 200], [10, -25, 3]), 100)
    assert [len(reports) for reports in history] == [1] * 100
    assert len(names(history)) == 1
    assert history[0].status.tolist() == [NEW]
    assert all(reports.status.tolist() == [TRACKED] for reports in history[1:])
    last = history[-1]
    np.testing.assert_allclose(last.position[0], [800 + 99, 1_500 - 247.5, 200 + 29.7], atol=8)
    np.testing.assert_allclose(last.velocity[0], [10, -25, 3], atol=3)
    assert last.age_s[0] == pytest.approx(9.9)
    assert last.quality[0] > 0.999


def test_a_crossing_contact_at_one_scan_a_second_keeps_its_name(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, straight(world, [-300, 500, 20], [30, 0, 0]), 20, dt_s=1.0)
    assert len(names(history)) == 1
    assert all(reports.status.tolist() == [TRACKED] for reports in history[1:])


@pytest.mark.parametrize("speed", [0.0, 30.0, 120.0, 300.0])
@pytest.mark.parametrize("dt_s", [0.1, 1.0])
def test_any_speed_keeps_its_name_from_the_second_scan_on(
    follow: Callable[..., list[TrackReports]],
    make_tracker: Callable[..., Tracker],
    radar: Any,
    world: Any,
    speed: float,
    dt_s: float,
):
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, straight(world, [-1_500, 3_000, 300], [speed, 0, 0]), 12, dt_s=dt_s)
    assert len(names(history)) == 1


def test_two_contacts_that_cross_keep_their_names(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    crossing = straight(world, [[-400, 1_000, 0], [400, 1_030, 0]], [[40, 0, 0], [-40, 0, 0]])
    history = follow(make_tracker(), radar, crossing, 200)
    early, late = history[20], history[-1]
    assert len(names(history)) == 2
    eastbound = early.track_id[int(np.argmax(early.velocity[:, 0]))]
    assert late.track_id[int(np.argmax(late.position[:, 0]))] == eastbound


def test_a_swarm_keeps_its_names(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    rng = np.random.default_rng(5)
    position, velocity = rng.uniform(-3_000, 3_000, (40, 3)), rng.uniform(-40, 40, (40, 3))
    history = follow(make_tracker(), radar, straight(world, position, velocity), 100)
    assert len(names(history)) == 40
    assert confirmed(history[-1]).sum() == 40


def test_false_alarms_are_not_confirmed(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.false_alarms = 20.0
    history = follow(make_tracker(), radar, straight(world, np.zeros((0, 3)), np.zeros((0, 3))), 200)
    assert sum(len(reports) for reports in history) > 200 * 20
    assert sum(confirmed(reports).sum() for reports in history) == 0
    assert max(reports.quality.max() for reports in history) < 0.2


def test_a_contact_is_found_among_false_alarms(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.false_alarms = 50.0
    history = follow(make_tracker(), radar, straight(world, [2_000, 2_000, 0], [-20, 20, 0]), 100)
    assert {reports.track_id[i] for reports in history for i in np.flatnonzero(confirmed(reports))} == {
        history[-1].track_id[int(np.argmax(confirmed(history[-1])))]
    }


def test_every_track_ends_in_one_lost_report(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.false_alarms = 10.0
    tracker = make_tracker()
    history = follow(tracker, radar, straight(world, np.zeros((0, 3)), np.zeros((0, 3))), 100)
    radar.false_alarms = 0.0
    history += follow(tracker, radar, straight(world, np.zeros((0, 3)), np.zeros((0, 3))), 20, first=100)
    ends = Counter(name for r in history for name, status in zip(r.track_id, r.status, strict=True) if status == LOST)
    assert set(ends) == names(history)
    assert set(ends.values()) == {1}
    assert len(tracker) == len(history[-1]) == 0


def test_a_vanished_contact_coasts_and_is_lost_once(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    tracker, scene = make_tracker(), straight(world, [0, 1_000, 0], [20, 0, 0])
    follow(tracker, radar, scene, 50)
    radar.detection_probability = 0.0
    history = follow(tracker, radar, scene, 20, first=50)
    statuses = [status for reports in history for status in reports.status.tolist()]
    misses = [count for reports in history for count in reports.miss_count.tolist()]
    assert statuses == [COASTING] * (len(statuses) - 1) + [LOST]
    assert misses == list(range(1, len(misses) + 1))
    assert 3 <= len(statuses) <= 10
    coasted = history[len(statuses) - 1]
    np.testing.assert_allclose(coasted.position[0, 0], 20 * 0.1 * (49 + len(statuses)), atol=10)


def test_a_short_silence_is_coasted_through(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    tracker, scene = make_tracker(), straight(world, [0, 1_000, 0], [20, 0, 0])
    first = follow(tracker, radar, scene, 50)
    radar.detection_probability = 0.0
    silent = follow(tracker, radar, scene, 3, first=50)
    radar.detection_probability = 1.0
    back = follow(tracker, radar, scene, 3, first=53)
    assert len(names(first + silent + back)) == 1
    assert [r.status[0] for r in silent + back] == [COASTING] * 3 + [TRACKED] * 3
    assert [r.miss_count[0] for r in silent + back] == [1, 2, 3, 0, 0, 0]
    assert silent[-1].quality[0] < first[-1].quality[0]
    assert silent[-1].position_covariance[0, 0] > first[-1].position_covariance[0, 0]


def test_own_burns_do_not_disturb_tracks(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    thrust = np.array([6.0, -4.0, 2.0])

    def burning(t_s: float):
        return world(
            np.array([[500.0, 2_000.0, 0.0]]),
            np.array([[-15.0, 0.0, 0.0]]) * 0,
            own_position=0.5 * thrust * t_s**2,
            own_velocity=thrust * t_s,
        )

    history = follow(make_tracker(), radar, burning, 100)
    own_position, own_velocity = 0.5 * thrust * 9.9**2, thrust * 9.9
    assert len(names(history)) == 1
    np.testing.assert_allclose(history[-1].position[0], np.array([500, 2_000, 0]) - own_position, atol=8)
    np.testing.assert_allclose(history[-1].velocity[0], -own_velocity, atol=2)
    sight = history[-1].position[0] / history[-1].range_m[0]
    assert history[-1].vr_mps[0] == pytest.approx(sight @ history[-1].velocity[0])


def test_a_contact_that_breaks_hard_keeps_its_name(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    def breaking(t_s: float):
        turned = max(t_s - 5.0, 0.0)
        velocity = np.array([[80.0, -30.0 * turned, 0.0]])
        return world(np.array([[-400 + 80 * t_s, 2_000 - 15.0 * turned**2, 0.0]]), velocity)

    history = follow(make_tracker(), radar, breaking, 100)
    assert history[-1].track_id == history[0].track_id
    np.testing.assert_allclose(history[-1].velocity[0], [80, -147, 0], atol=15)


def test_a_jump_out_of_the_gate_is_reattached_under_the_old_name(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    parameters = {"reattach_threshold": 1e6, "gate_threshold": 9.5}

    def jumping(t_s: float):
        return world(
            np.array([[0.0, 1_000.0 + (60.0 if t_s > 3 else 0.0), 0.0]]), np.array([[0.0, 9.0 * (t_s > 3), 0.0]])
        )

    history = follow(make_tracker(**parameters), radar, jumping, 60)
    assert history[-1].track_id == history[0].track_id
    lost = [name for r in history for name, status in zip(r.track_id, r.status, strict=True) if status == LOST]
    assert len(lost) == len(set(lost)) == len(names(history)) - 1 >= 1
    plots = [(int(r.plot[0]), r.status[0] == COASTING) for r in history]
    assert set(plots) == {(0, False), (NO_PLOT, True)}  # also of the scan in which the old name is given back


def test_two_contacts_seen_at_once_are_never_merged(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 0.7
    formation = straight(world, [[3_000, 8_000, 0], [3_060, 8_000, 0]], [[10, 0, 0], [10, 0, 0]])
    history = follow(make_tracker(reattach_threshold=100.0), radar, formation, 150)
    assert all(confirmed(reports).sum() == 2 for reports in history[20:])


def test_time_must_not_run_back(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    tracker, scene = make_tracker(), straight(world, [0, 1_000, 0], [20, 0, 0])
    follow(tracker, radar, scene, 3)
    before = tracker.snapshot()
    with pytest.raises(TimeReversedError, match="older") as caught:
        tracker.step(radar.look(0.1, scene(0.1)))
    assert caught.value.last_us - caught.value.t_us == 100_000
    assert tracker.snapshot() == before


def test_two_looks_at_one_time_are_fine(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    tracker, scene = make_tracker(), straight(world, [0, 1_000, 0], [20, 0, 0])
    history = follow(tracker, radar, scene, 5)
    again = tracker.step(radar.look(0.4, scene(0.4)))
    assert again.track_id == history[-1].track_id
    assert np.isfinite(again.position_covariance).all()


def test_after_a_long_gap_all_tracks_are_new(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    tracker, scene = make_tracker(), straight(world, [0, 1_000, 0], [0, 0, 0])
    follow(tracker, radar, scene, 5)
    late = tracker.step(radar.look(1e6, scene(0.0)))
    assert late.status.tolist() == [LOST, NEW]
    assert np.isfinite(late.position_covariance).all()


def test_tracks_are_capped_and_the_strongest_plots_win(make_tracker: Callable[..., Tracker], radar: Any, world: Any):
    radar.detection_probability = 1.0
    tracker = make_tracker(max_tracks=5)
    rng = np.random.default_rng(1)
    scan = radar.look(0.0, world(rng.uniform(-3_000, 3_000, (30, 3)), np.zeros((30, 3))))
    reports = tracker.step(scan)
    np.testing.assert_allclose(np.sort(reports.snr_db), np.sort(scan.snr_db)[-5:])


def test_too_many_detections_are_refused(make_tracker: Callable[..., Tracker], radar: Any, world: Any):
    tracker = make_tracker(max_detections=3)
    radar.detection_probability = 1.0
    with pytest.raises(ScanError, match="4 detections"):
        tracker.step(radar.look(0.0, world(np.ones((4, 3)) * 500, np.zeros((4, 3)))))
    assert tracker.t_us is None


def test_a_crowd_on_one_spot_are_survived(make_tracker: Callable[..., Tracker], radar: Any, world: Any):
    rng = np.random.default_rng(3)
    tracker = make_tracker(max_tracks=120)
    for frame in range(3):
        crowd = rng.normal(size=(250, 3)) * 30 + np.array([0, 900, 0])
        reports = tracker.step(radar.look(frame * 1.0, world(crowd, np.zeros((250, 3)))))
        assert np.isfinite(reports.position).all()
    assert len(tracker) <= 120


def test_an_overflight_at_no_distance_stays_finite(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    history = follow(make_tracker(), radar, straight(world, [-95, 0.0, 0.5], [20, 0, 0]), 100)
    for reports in history:
        for values in (reports.position, reports.velocity, reports.vr_mps, reports.bearing_deg):
            assert np.isfinite(values).all()
        assert (reports.position_covariance[:, [0, 3, 5]] > 0).all()
