"""Our metrics beside Stone Soup's, on the same random scenes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from qiki_harness.scoring import ScanRecord, gospa, ospa
from qiki_harness.scoring.identity import count_identities
from qiki_harness.scoring.metrics import bounds

pytest.importorskip("stonesoup", reason="Stone Soup is not installed: tox -e tracking has it", exc_type=ImportError)

from scipy.stats import chi2
from stonesoup.dataassociator.clearmot import ClearMotAssociator
from stonesoup.metricgenerator.ospametric import GOSPAMetric, OSPAMetric
from stonesoup.types.groundtruth import GroundTruthPath
from stonesoup.types.state import State
from stonesoup.types.track import Track

START = datetime(2026, 1, 1)  # noqa: DTZ001  Stone Soup's times have no zone


def scene(seed: int, spread: float = 300.0):
    rng = np.random.default_rng(seed)
    contacts = rng.uniform(-spread, spread, (rng.integers(0, 7), 3))
    tracks = rng.uniform(-spread, spread, (rng.integers(0, 7), 3))
    near = min(len(contacts), len(tracks)) // 2
    tracks[:near] = contacts[:near] + rng.normal(0, 30, (near, 3))
    return contacts, tracks


def states(points, t_s: float = 0.0):
    return [State(point.reshape(3, 1), timestamp=START + timedelta(seconds=t_s)) for point in points]


@pytest.mark.parametrize("seed", range(12))
def test_gospa(seed: int):
    contacts, tracks = scene(seed)
    if not len(contacts) + len(tracks):
        pytest.skip("no state has no time there")
    value, _ = GOSPAMetric(p=2, c=200).compute_gospa_metric(states(tracks), states(contacts))
    theirs, found = value.value, gospa(contacts, tracks)
    assert found.distance == pytest.approx(theirs["distance"])
    assert found.localisation == pytest.approx(theirs["localisation"], abs=1e-6)
    assert found.missed == pytest.approx(theirs["missed"])
    assert found.false == pytest.approx(theirs["false"])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("seed", range(6))
def test_ospa(seed: int, order: int):
    contacts, tracks = scene(seed)
    if not len(contacts) + len(tracks):
        pytest.skip("no state has no time there")
    theirs = OSPAMetric(p=order, c=200).compute_OSPA_distance(states(tracks), states(contacts)).value
    assert ospa(contacts, tracks, order=order) == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(4))
def test_correspondences(make_record: Callable[..., ScanRecord], seed: int):
    rng = np.random.default_rng(seed)
    start, course = rng.uniform(-500, 500, (2, 6, 3)) * [[[1.0]], [[0.1]]]
    scans = []
    for t_s in range(20):
        position = start + t_s * course
        if t_s % 4 == 0:  # a pair of one scan alone raises an error there
            seen = np.flatnonzero(rng.random(6) < 0.8)
            names = rng.permutation(6)
        found = position[seen] + rng.normal(0, 10, (len(seen), 3))
        tracks = {f"track-{names[row]}": tuple(at) for row, at in zip(seen, found, strict=True)}
        scans.append(make_record(t_s, {f"contact-{row}": tuple(at) for row, at in enumerate(position)}, tracks))
    ours = [set(pairs.items()) for pairs in count_identities(scans, gate_m=50).pairs]
    assert ours == clear_mot(scans)
    assert any(ours)


def clear_mot(scans: list[ScanRecord]):
    """Pairs by scan."""
    truths: dict[str, list[State]] = {}
    tracks: dict[str, list[State]] = {}
    for scan in scans:
        for paths, side in ((truths, scan.truth), (tracks, scan.tracks)):
            for name, state in zip(side.ids, states(side.position, scan.t_s), strict=True):
                paths.setdefault(name, []).append(state)
    found = ClearMotAssociator(association_threshold=50).associate_tracks(
        {Track(path, id=name) for name, path in tracks.items()},
        {GroundTruthPath(path, id=name) for name, path in truths.items()},
    )
    times = [START + timedelta(seconds=scan.t_s) for scan in scans]
    return [
        {tuple(sorted(one.id for one in pair.objects)) for pair in found.associations_at_timestamp(time)}
        for time in times
    ]


@pytest.mark.parametrize("degrees", [6, 12, 60, 600])
def test_bounds(degrees: int):
    np.testing.assert_allclose(bounds(degrees), chi2.ppf([0.025, 0.975], degrees), rtol=0.03)
