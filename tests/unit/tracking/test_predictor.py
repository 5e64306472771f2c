"""The predictor: models of motion by hand, laws of the mixture."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.tracking import TrackerParameters
from qiki.tracking.predictor import manoeuvre, mix, predict, quiet_flight, switching
from qiki.tracking.tracks import TRACK, Modes, TrackTable, merged

PARAMETERS = TrackerParameters()
steps = st.floats(0.0, 30.0)


def table(seed: int, size: int = 3) -> TrackTable:
    rng = np.random.default_rng(seed)
    tracks = np.zeros(size, dtype=TRACK)
    root = rng.normal(size=(size, 2, 9, 9))
    tracks["mode_mean"] = rng.normal(size=(size, 2, 9)) * 100
    tracks["mode_covariance"] = root @ root.swapaxes(-1, -2) + np.eye(9)
    share = rng.uniform(0.05, 0.95, size)
    tracks["mode_probability"] = np.stack((share, 1 - share), axis=1)
    return tracks


@given(steps, steps)
def test_switching_is_a_markov_chain(first: float, second: float):
    chain = switching(PARAMETERS, first)
    np.testing.assert_allclose(chain.sum(1), 1.0)
    np.testing.assert_allclose(chain @ switching(PARAMETERS, second), switching(PARAMETERS, first + second), atol=1e-12)


def test_switching_in_the_long_run_follows_the_sojourns():
    parameters = TrackerParameters(quiet_sojourn_s=30, manoeuvre_sojourn_s=10)
    np.testing.assert_allclose(switching(parameters, 1e6), [[0.75, 0.25], [0.75, 0.25]])


def test_quiet_flight_by_hand():
    transition, noise = quiet_flight(TrackerParameters(quiet_psd=3.0, sigma_acceleration_mps2=2.0), 2.0)
    assert transition == [[1, 2.0, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(noise, [[8.0, 6.0, 0], [6.0, 6.0, 0], [0, 0, 4.0]])


def test_manoeuvre_by_hand():
    parameters = TrackerParameters(sigma_acceleration_mps2=3.0, acceleration_memory_s=2.0)
    transition, noise = manoeuvre(parameters, 1.0)
    kept = exp(-0.5)
    np.testing.assert_allclose(transition, [[1, 1, 4 * (0.5 - 1 + kept)], [0, 1, 2 * (1 - kept)], [0, 0, kept]])
    np.testing.assert_allclose(
        noise, 9.0 * np.array([[1 / 20, 1 / 8, 1 / 6], [1 / 8, 1 / 3, 1 / 2], [1 / 6, 1 / 2, 1]])
    )


def test_a_lasting_acceleration_moves_as_school_taught():
    transition, _ = manoeuvre(TrackerParameters(acceleration_memory_s=1e5), 3.0)
    np.testing.assert_allclose(np.array(transition) @ [10.0, 2.0, 4.0], [10 + 6 + 18, 2 + 12, 4], rtol=1e-4)


@given(st.integers(0, 50), steps)
def test_mixing_keeps_the_mixture(seed: int, dt_s: float):
    modes = Modes.of(table(seed))
    before, after = modes.merged(), mix(modes, switching(PARAMETERS, dt_s)).merged()
    np.testing.assert_allclose(after.mean, before.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.covariance, before.covariance, rtol=1e-9, atol=1e-6)


@given(st.integers(0, 50), steps)
def test_prediction_stays_a_covariance(seed: int, dt_s: float):
    tracks = table(seed)
    predict(tracks, dt_s, PARAMETERS)
    covariance = tracks["mode_covariance"]
    np.testing.assert_allclose(covariance, covariance.swapaxes(-1, -2), rtol=1e-9, atol=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_no_time_changes_nothing_that_is_reported():
    tracks, before = table(1), merged(table(1))
    predict(tracks, 0.0, PARAMETERS)
    np.testing.assert_allclose(merged(tracks).mean, before.mean)
    np.testing.assert_allclose(merged(tracks).covariance, before.covariance)


def test_one_quiet_step_by_hand():
    tracks = table(4, 1)
    tracks["mode_mean"] = [[1, 2, 3, 10, 20, 30, 0, 0, 0]]
    predict(tracks, 0.5, PARAMETERS)
    np.testing.assert_allclose(merged(tracks).mean[0], [6, 12, 18, 10, 20, 30])


def test_merged_modes_by_hand():
    tracks = np.zeros(1, dtype=TRACK)
    tracks["mode_probability"] = [[0.75, 0.25]]
    tracks["mode_mean"][0, 1, 0] = 4.0
    tracks["mode_covariance"][0, :, 0, 0] = [2.0, 6.0]
    estimate = merged(tracks)
    assert estimate.mean[0, 0] == pytest.approx(1.0)
    # 0.75·2 + 0.25·6 + 0.75·0.25·4² = 6
    assert estimate.covariance[0, 0, 0] == pytest.approx(6.0)
