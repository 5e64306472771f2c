"""A scenario flown and tracked without a stack."""

from dataclasses import replace

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import predict
from qiki.world.scenario import load_scenario
from qiki_harness.scoring import score
from qiki_harness.scoring.offline import fly, looks
from qiki_harness.scoring.records import believed, split


def test_crossing_is_tracked_and_repeats():
    one, other = (list(fly(load_scenario("crossing"), seed=3, seconds=10)) for _ in range(2))
    assert [scan.t_s for scan in one] == [number / 10 for number in range(100)]
    found, _ = score(one)
    assert found == score(other)[0]
    assert (found.contacts, found.never_tracked, found.identity_switches, found.false) == (4, 0, 0, 0)
    assert found.gospa_m < 50
    assert np.array_equal(one[-1].plots, other[-1].plots)


@pytest.mark.parametrize("radar", [{"angle_floor_deg": 0.3}, {"range_floor_m": 20.0}, {"beam_width_deg": 12.0}])
def test_the_tracker_knows_the_scenarios_radar(radar: dict[str, float]):
    """Told of the default radar, it is off by 25 to 400 m."""
    scenario = load_scenario("crossing")
    coarse = scenario.model_copy(update={"radar": scenario.radar.model_copy(update=radar)})
    found, _ = score(list(fly(coarse, seed=3, seconds=20)))
    assert (found.never_tracked, found.identity_switches, found.false) == (0, 0, 0)
    assert found.gospa_m < 20


def test_another_seed_is_another_run():
    first, second = (next(iter(looks(load_scenario("crossing"), seed, 1.0))).scan for seed in (1, 2))
    assert not np.array_equal(first.range_m, second.range_m)


def test_contacts_beyond_the_radar_are_not_asked_for():
    scenario = load_scenario("single-pass")
    near = scenario.model_copy(update={"radar": scenario.radar.model_copy(update={"max_range_m": 1_000.0})})
    counts = [len(look.truth.ids) for look in looks(near, 1, 30.0)]
    assert (counts[0], counts[-1]) == (0, 1)


def test_doubted_tracks_are_new_ones_and_lost_ones_are_gone():
    scenario = load_scenario("clutter")
    scans = list(fly(scenario, seed=1, seconds=10))
    assert any(len(scan.doubted.ids) for scan in scans)
    tracks = scans[-1].tracks
    status = [RadarTrackStatus.LOST] * len(tracks.ids)
    assert [len(side.ids) for side in split(tracks, status, tracks.existence)] == [0, 0]


def test_ahead_is_what_the_tracker_predicts():
    scan = list(fly(load_scenario("mixed-traffic"), seed=1, seconds=5))[-1]
    tracks, rows = scan.tracks, np.array([2, 0])
    assert tracks.estimates is not None
    assert tracks.estimates.track_id == list(tracks.ids)
    np.testing.assert_allclose(tracks.estimates.merged.mean[:, :3], tracks.position)
    for found, expected in zip(tracks.ahead(rows, 5.0), predict(tracks.estimates.take(rows), 5.0), strict=True):
        np.testing.assert_array_equal(found, expected)
    position, spread = replace(tracks, estimates=None).ahead(rows, 5.0)
    np.testing.assert_allclose(position, tracks.position[rows] + 5 * tracks.velocity[rows])
    assert np.trace(spread, axis1=1, axis2=2).max() < np.trace(tracks.ahead(rows, 5.0)[1], axis1=1, axis2=2).min()


def test_confirmed_tracks_and_sure_new_ones_are_believed():
    status = [RadarTrackStatus.NEW, RadarTrackStatus.NEW, *list(RadarTrackStatus)[2:]]
    assert believed(status, [0.98, 0.99, 0.0, 1.0, 0.5]).tolist() == [False, True, True, False, True]
