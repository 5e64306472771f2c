"""Tracks: one for each contact, true to it and to its own covariance, across a kill of the bridge."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki_harness.twin.checks import check_estimates, check_tracks, settle
from qiki_harness.twin.where import one_of

CONFIRMED = (RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING)
WITHIN_THREE_SIGMA = 14.16
"""Squared Mahalanobis distance that holds in three dimensions what three standard deviations hold in one: 99.73 %."""
SHARE_OF_TIME = 0.95
UPPER = np.triu_indices(3)


@pytest.mark.parametrize(("scenario", "seconds"), [("single-pass", 60), ("crossing", 60), ("mixed-traffic", 60)])
def test_each_contact_gets_one_track_that_follows_it(world, scenario, seconds):
    twin = world(scenario)

    assert twin.command("sim.step", ticks=20 * seconds).ok

    run, last = settle(twin)
    found = distances_by_contact_and_track(twin, run, last)
    present = Counter(contact.id for record in twin.truth(run_id=run) for contact in record.data.contacts)
    assert found.keys() == present.keys(), "a contact without a confirmed track"
    for contact, tracks in found.items():
        assert len(tracks) == 1, f"contact {contact} had tracks {[*tracks]}"
        (distances,) = tracks.values()
        assert len(distances) > 0.9 * present[contact], f"{contact} was confirmed in {len(distances)} frames only"
        share = np.mean(np.array(distances) <= WITHIN_THREE_SIGMA)
        assert share >= SHARE_OF_TIME, f"contact {contact}: within three sigma for {share:.1%} of its time"


def test_crossing_targets_keep_their_identity(world):
    twin = world("crossing")

    assert twin.command("sim.step", ticks=1200).ok

    run, last = settle(twin)
    claims = defaultdict(set)
    for record in twin.tracks(run=run):
        if record.data.transponder_id:
            claims[record.data.transponder_id].add(record.data.track_id)
    assert {name: len(tracks) for name, tracks in claims.items()} == {"DRN-EAST": 1, "DRN-WEST": 1}
    begin, end = (
        {record.data.track_id: record.data for record in twin.tracks(run=run, frame=number)} for number in (100, last)
    )
    assert begin.keys() == end.keys()
    # Nobody turns: who flew east at the begin flies east at the end, north stays north.
    for track, before in begin.items():
        after = end[track]
        assert np.allclose(_xyz(before.velocity), _xyz(after.velocity), atol=5.0)
        assert (before.iff, before.transponder_id) == (after.iff, after.transponder_id)


def test_a_kill_of_the_bridge_leaves_no_gap_and_no_double(own_twin):
    twin = own_twin("mixed-traffic", speed=5)
    twin.await_tracked_frame(frame=30)

    twin.kill("faststream-bridge")
    killed_at = len(twin.tracked_frames())
    twin.await_ready()
    twin.await_tracked_frame(frame=killed_at + 40)

    assert twin.command("sim.pause").ok
    run, last = settle(twin)
    check_tracks(twin, run, last)
    check_estimates(twin, run, last)
    before, after = (
        {record.data.track_id for record in twin.tracks(run=run, frame=number, status=one_of(*CONFIRMED))}
        for number in (killed_at - 5, killed_at + 10)
    )
    assert before
    assert before <= after, "tracks have other names after the kill"
    assert twin.stack.info.services["faststream-bridge"].restarts == 1


def test_estimates_are_published_only_where_they_are_wanted(own_twin):
    twin = own_twin("mixed-traffic", start=False, env={"BRIDGE_ESTIMATES": "false"})

    notice = twin.step(40)

    assert notice.data.tracks > 0
    assert notice.header("x-qiki-estimates") == "0"
    assert twin.estimates() == []


def distances_by_contact_and_track(twin, run, last):
    """By contact and track: squared Mahalanobis distance from the truth at each confirmed frame.

    A track belongs to the contact that is nearest to it for the most of its confirmed time.
    """
    twin.await_truth(run_id=run, frame=last)
    truth = {record.data.frame: record.data for record in twin.truth(run_id=run)}
    tracks = defaultdict(list)
    for record in twin.tracks(run=run):
        if record.data.status in CONFIRMED:
            tracks[record.data.track_id].append((truth[record.frame], record.data))
    distances = defaultdict(dict)
    for track, pairs in tracks.items():
        contact = Counter(_nearest(world, report) for world, report in pairs).most_common(1)[0][0]
        distances[contact][track] = [_distance(world, report, contact) for world, report in pairs]
    return distances


def _relative(world):
    """Where the contacts are, seen from the bot, by id."""
    own = _xyz(world.bot.position)
    return {contact.id: _xyz(contact.position) - own for contact in world.contacts}


def _nearest(world, report):
    where = _xyz(report.position)
    return min(_relative(world).items(), key=lambda item: np.linalg.norm(item[1] - where))[0]


def _distance(world, report, contact):
    if contact not in _relative(world):
        return np.inf
    covariance = np.zeros((3, 3))
    covariance[UPPER] = report.position_covariance
    covariance += np.triu(covariance, 1).T
    error = _xyz(report.position) - _relative(world)[contact]
    return error @ np.linalg.solve(covariance, error)


def _xyz(vector):
    return np.array([vector.x, vector.y, vector.z])
