"""Coverage by the tracks' ellipsoids, and the tails of their normalised errors."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from qiki_harness.scoring import ScanRecord, gospa
from qiki_harness.scoring.consistency import (
    ELLIPSOIDS,
    HIGH,
    LOW,
    Bin,
    Coverage,
    Reliability,
    Tails,
    coverage,
    errors_ahead,
    reliability,
    tails,
)

Make = Callable[..., ScanRecord]


def covered(scans: list[ScanRecord], ahead_s: float) -> Coverage:
    pairs = [gospa(scan.truth.position, scan.tracks.position) for scan in scans]
    return coverage(errors_ahead(scans, pairs, ahead_s), ahead_s)


def within(found: Coverage):
    return found.within_50, found.within_90, found.within_95, found.within_99


def test_quantiles_are_those_of_chi_square():
    np.testing.assert_allclose(ELLIPSOIDS, chi2.ppf((0.5, 0.9, 0.95, 0.99), 3), rtol=1e-6)
    np.testing.assert_allclose((LOW, HIGH), chi2.ppf((0.025, 0.975), 3), rtol=1e-6)


def test_errors_of_the_said_size_are_in_the_tails_as_said():
    errors = chi2.rvs(3, size=40_000, random_state=np.random.default_rng(1))
    found = tails(errors)
    assert found.median == pytest.approx(2.366, rel=0.03)
    assert (found.low, found.high) == pytest.approx((0.025, 0.025), rel=0.1)
    assert tails(4 * errors).high > 0.2
    assert tails(errors / 4).low > 0.1
    assert tails(np.zeros(0)) == Tails(None, None, None)


def test_each_ellipsoid_holds_what_is_nearer(make_record: Make):
    """Errors of 1, 2, 2.7, 3 and 4 standard deviations."""
    contacts = {str(row): (1000.0 * row, 0, 0) for row in range(5)}
    tracks = {str(row): (1000.0 * row, 10 * sigma, 0) for row, sigma in enumerate((1, 2, 2.7, 3, 4))}
    found = covered([make_record(0, contacts, tracks, variance=100)], 0)
    assert found.pairs == 5
    assert within(found) == pytest.approx((0.2, 0.4, 0.6, 0.8))


def moving(make_record: Make, speed_mps: float, sigma_mps: float) -> list[ScanRecord]:
    """A contact whose track says 20 m/s; one that is gone after the first scan; ten scans a second."""
    scans = []
    for number in range(31):
        contacts = {"a": (speed_mps * number / 10, 0, 0)} | ({} if number else {"b": (5000, 0, 0)})
        scan = make_record(number / 10, contacts, contacts, variance=1)
        velocity = np.array([[20.0, 0, 0]] * len(contacts))
        spread = np.broadcast_to(sigma_mps**2 * np.eye(3), (len(contacts), 3, 3))
        scans.append(replace(scan, tracks=replace(scan.tracks, velocity=velocity, velocity_covariance=spread)))
    return scans


@pytest.mark.parametrize(("speed_mps", "sigma_mps", "share"), [(20, 0.1, 1), (23, 0.1, 0), (23, 3.0, 1)])
def test_ahead_a_track_flies_on_and_its_ellipsoid_grows(
    make_record: Make, speed_mps: float, sigma_mps: float, share: float
):
    """At 23 m/s the contact is 6 m farther after 2 s than its track says."""
    found = covered(moving(make_record, speed_mps, sigma_mps), 2.0)
    assert found.pairs == 11  # of the scans that have one two seconds later; nobody asks for who is gone by then
    assert within(found) == (share,) * 4


def test_as_many_are_real_as_are_said(make_record: Make):
    """Of tracks said to be real with 0.3, one of three is; with 0.9, each."""
    scans = []
    for _ in range(4):
        scan = make_record(0, {"a": (0, 0, 0), "b": (1000, 0, 0)}, {"1": (0, 0, 0)})
        doubted = make_record(0, {}, {"2": (1000, 0, 0), "3": (1010, 0, 0), "4": (9000, 0, 0)}).tracks
        sure = replace(scan.tracks, existence=np.full(1, 0.9))
        scans.append(replace(scan, tracks=sure, doubted=replace(doubted, existence=np.full(3, 0.3))))
    found = reliability(scans)
    assert [(one.tracks, round(one.said, 6), one.real) for one in found.bins] == [
        (12, 0.3, pytest.approx(1 / 3)),
        (4, 0.9, 1),
    ]
    assert found.error == pytest.approx(12 / 16 * (1 / 3 - 0.3) + 4 / 16 * 0.1)


def test_certainty_has_a_place_and_no_track_no_error(make_record: Make):
    scan = make_record(0, {"a": (0, 0, 0)}, {"1": (0, 0, 0)})
    assert reliability([scan]) == Reliability(0.0, (Bin(1, 1.0, 1.0),))
    assert reliability([make_record(0, {"a": (0, 0, 0)}, {})]) == Reliability(None, ())


def test_beyond_the_run_there_is_nothing(make_record: Make):
    found = covered(moving(make_record, 20, 0.1), 10.0)
    assert (found.pairs, *within(found)) == (0, None, None, None, None)
