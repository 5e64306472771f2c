"""The score of a whole run."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from qiki_harness.scoring import ScanRecord, score


def test_means_over_the_scans(make_record: Callable[..., ScanRecord]):
    scans = [
        make_record(0, {"a": (0, 0, 0), "b": (900, 0, 0)}, {}),
        make_record(1, {"a": (0, 0, 0), "b": (900, 0, 0)}, {"1": (3, 4, 0), "2": (0, 700, 0)}, variance=25),
    ]
    found, course = score(scans)
    np.testing.assert_allclose(course.gospa, np.sqrt([40_000, 40_025]))
    assert found.gospa_m == pytest.approx(course.gospa.mean())
    assert found.localisation_m == pytest.approx(np.sqrt(12.5))
    assert (found.missed, found.false, found.scans, found.contacts, found.never_tracked) == (1.5, 0.5, 2, 2, 1)
    assert found.confirm_s == 1
    assert found.nees_position == pytest.approx(1)
    assert found.nees_velocity == 0
    assert (found.nees_position_inside, found.nees_velocity_inside) == (1, 0)
    np.testing.assert_array_equal(course.pairs, [0, 1])


def test_what_is_not_believed_in_counts_in_p_gospa_alone(make_record: Callable[..., ScanRecord]):
    scan = make_record(0, {"a": (0, 0, 0)}, {"1": (0, 0, 0)})
    doubted = make_record(0, {}, {"2": (5000, 0, 0)}).tracks
    doubted = replace(doubted, existence=np.array([0.25]))
    found, course = score([replace(scan, doubted=doubted)])
    assert (found.gospa_m, found.false) == (0, 0)
    assert found.probabilistic_gospa_m == course.probabilistic_gospa[0] == pytest.approx(np.sqrt(3 + 5000))
    assert found.coverage[0].within_50 == 1
    assert found.tails_position.low == 1


def test_a_run_in_which_nobody_was_tracked(make_record: Callable[..., ScanRecord]):
    found, course = score([make_record(0, {"a": (0, 0, 0)}, {})])
    assert (found.confirm_s, found.nees_position, found.nees_position_inside) == (None, None, None)
    assert found.ospa_m == course.ospa[0] == 200
