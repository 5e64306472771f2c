"""Scans of rubbish: no number breaks the tracker, and its state stays one."""

from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.enums import TransponderMode
from qiki.tracking import Scan, Tracker, TrackerParameters
from qiki.tracking.estimate_bodies import estimate_bodies
from qiki.tracking.scan import LIMITS, SECOND_US
from qiki.tracking.tracks import Header

PARAMETERS = TrackerParameters()
GAPS_S = [0.0, 1e-6, 0.1, 1.0, 5.0, 29.0, 40.0, 1e5]
OFTEN = [0.08, 0.05, 0.5, 0.3, 0.04, 0.01, 0.01, 0.01]


def anywhere(rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
    """Ranges, noises of direction, range rates and SNR within the limits of any radar."""
    range_m = np.where(rng.random(count) < 0.2, 0.0, rng.uniform(0, LIMITS["range_m"], count))
    speed, snr_db = (rng.uniform(-LIMITS[name], LIMITS[name], count) for name in ("vr_mps", "snr_db"))
    return range_m, np.ones(count), speed, snr_db


def about_the_bot(rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
    return rng.uniform(0, 40, count), np.ones(count), rng.uniform(-200, 200, count), rng.uniform(5, 60, count)


def in_one_place(rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
    return np.full(count, 500.0), np.zeros(count), np.zeros(count), rng.uniform(5, 60, count)


def in_a_heap(rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
    return rng.uniform(400, 600, count), np.full(count, 0.02), rng.normal(0, 2, count), rng.uniform(-60, 60, count)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rubbish", [anywhere, about_the_bot, in_one_place, in_a_heap])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_rubbish_breaks_the_state(rubbish, seed: int):
    rng, names = np.random.default_rng(seed), ["A", "B", "C", None]
    tracker, t_us = Tracker(UUID(int=1), PARAMETERS, {}), SECOND_US
    for number in range(100):
        t_us += round(SECOND_US * float(rng.choice(GAPS_S, p=OFTEN)))
        count = int(rng.choice([0, 1, 5, 30]))
        range_m, spread, doppler_mps, snr_db = rubbish(rng, count)
        sight = np.array([1.0, 0.0, 0.0]) + spread[:, None] * rng.normal(size=(count, 3))
        scan = Scan(
            t_us,
            rng.normal(0, 1_000, 3),
            rng.normal(0, 30, 3),
            range_m,
            sight / np.linalg.norm(sight, axis=1)[:, None],
            doppler_mps,
            snr_db,
            rng.uniform(-20, 40, count),
            rng.random(count) < 0.3,
            rng.random(count) < 0.7,
            rng.integers(0, max(TransponderMode) + 1, count).astype(np.int8),
            [names[one] for one in rng.integers(0, len(names), count)],
        )
        copy = Tracker.restore(tracker.snapshot(), PARAMETERS, {}) if number % 7 == 0 else None
        reports = tracker.step(scan)
        if copy is not None:
            copy.step(scan)
            assert copy.snapshot() == tracker.snapshot()
        _, tracks = Header.unpack(tracker.snapshot())
        for name in ("llr", "detection_probability", "mode_probability", "mode_mean", "mode_covariance"):
            assert np.isfinite(tracks[name]).all(), name
        assert (tracks["mode_covariance"].diagonal(axis1=-2, axis2=-1) >= 0).all()
        np.testing.assert_allclose(tracks["mode_probability"].sum(1), 1)
        assert ((reports.quality >= 0) & (reports.quality <= 1)).all()
        assert estimate_bodies(tracker.estimates(), "run", number, reports.timestamp)
