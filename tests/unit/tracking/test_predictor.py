"""The predictor: models of motion by hand, laws of the mixture."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.tracking import TrackerParameters
from qiki.tracking.predictor import manoeuvre, mix, predict, quiet_flight, switching
from qiki.tracking.tracks import (
    ACCELERATION,
    BLOCK,
    GENTLE,
    HARD,
    MODES,
    MOTION,
    QUIET,
    TRACK,
    Modes,
    TrackTable,
    merged,
)

PARAMETERS = TrackerParameters()
steps = st.floats(0.0, 30.0)


def table(seed: int, size: int = 3) -> TrackTable:
    rng = np.random.default_rng(seed)
    tracks = np.zeros(size, dtype=TRACK)
    root = rng.normal(size=(size, MODES, 9, 9))
    tracks["mode_mean"] = rng.normal(size=(size, MODES, 9)) * 100
    tracks["mode_covariance"] = root @ root.swapaxes(-1, -2) + np.eye(9)
    share = rng.uniform(0.05, 0.95, (size, MODES))
    tracks["mode_probability"] = share / share.sum(1, keepdims=True)
    return tracks


@given(steps, steps)
def test_switching_is_a_markov_chain(first: float, second: float):
    chain = switching(PARAMETERS, first)
    assert (chain > -1e-15).all()
    np.testing.assert_allclose(chain.sum(1), 1.0)
    np.testing.assert_allclose(chain @ switching(PARAMETERS, second), switching(PARAMETERS, first + second), atol=1e-12)


def test_in_no_time_nothing_switches():
    np.testing.assert_array_equal(switching(PARAMETERS, 0.0), np.eye(MODES))


def test_switching_begins_by_the_rates():
    """A manoeuvre is left for quiet flight, never for the other kind."""
    parameters = TrackerParameters(quiet_sojourn_s=40, manoeuvre_sojourn_s=10)
    rates = [[-1 / 40, 1 / 80, 1 / 80], [1 / 10, -1 / 10, 0], [1 / 10, 0, -1 / 10]]
    np.testing.assert_allclose((switching(parameters, 1e-4) - np.eye(MODES)) / 1e-4, rates, atol=1e-6)


def test_switching_in_the_long_run_follows_the_sojourns():
    parameters = TrackerParameters(quiet_sojourn_s=30, manoeuvre_sojourn_s=10)
    np.testing.assert_allclose(switching(parameters, 1e6), [[0.75, 0.125, 0.125]] * MODES)


def test_quiet_flight_by_hand():
    transition, noise = quiet_flight(TrackerParameters(quiet_psd=3.0), 2.0)
    assert transition == [[1, 2.0, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(noise, [[8.0, 6.0, 0], [6.0, 6.0, 0], [0, 0, 0]])


def test_manoeuvre_by_hand():
    transition, noise = manoeuvre(TrackerParameters(acceleration_memory_s=2.0), 3.0, 1.0)
    kept = exp(-0.5)
    np.testing.assert_allclose(transition, [[1, 1, 4 * (0.5 - 1 + kept)], [0, 1, 2 * (1 - kept)], [0, 0, kept]])
    np.testing.assert_allclose(
        noise, 9.0 * np.array([[1 / 20, 1 / 8, 1 / 6], [1 / 8, 1 / 3, 1 / 2], [1 / 6, 1 / 2, 1]])
    )


def test_a_lasting_acceleration_moves_as_school_taught():
    transition, _ = manoeuvre(TrackerParameters(acceleration_memory_s=1e5), 15.0, 3.0)
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
    assert np.linalg.eigvalsh(covariance[:, [GENTLE, HARD]]).min() > 0
    assert np.linalg.eigvalsh(covariance[:, QUIET, MOTION, MOTION]).min() > 0
    assert (covariance[:, QUIET, ACCELERATION] == 0).all()
    assert (tracks["mode_mean"][:, QUIET, ACCELERATION] == 0).all()


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
    tracks["mode_probability"] = [[0.5, 0.25, 0.25]]
    tracks["mode_mean"][0, :, 0] = [0.0, 4.0, 8.0]
    tracks["mode_covariance"][0, :, 0, 0] = [2.0, 6.0, 10.0]
    estimate = merged(tracks)
    assert estimate.mean[0, 0] == pytest.approx(3.0)
    # Within the modes 0.5·2 + 0.25·6 + 0.25·10 = 5, between them 0.5·3² + 0.25·1² + 0.25·5² = 11
    assert estimate.covariance[0, 0, 0] == pytest.approx(16.0)


SIGMAS = {GENTLE: 2.0, HARD: 10.0}
LASTING = TrackerParameters(
    quiet_sojourn_s=2.0,
    manoeuvre_sojourn_s=2.0,
    gentle_acceleration_mps2=SIGMAS[GENTLE],
    sigma_acceleration_mps2=SIGMAS[HARD],
    acceleration_memory_s=1e6,
)
"""Over ln 2 s a contact in quiet flight is in either manoeuvre with probability 1/8; the accelerations last."""


@pytest.mark.parametrize("mode", SIGMAS)
def test_the_acceleration_of_a_manoeuvre_that_begins_is_drawn(mode: int):
    tracks = np.zeros(2, dtype=TRACK)
    tracks["mode_probability"] = [[0.8, 0.1, 0.1], [1, 0, 0]]
    predict(tracks, log(2), LASTING)
    # Now 0.8/8 of the first track's contacts have begun, 0.1·3/4 were in a manoeuvre before: a share of 4/7.
    np.testing.assert_allclose(tracks["mode_probability"], [[0.65, 0.175, 0.175], [0.75, 0.125, 0.125]])
    expected = np.multiply.outer([4 / 7, 1.0], SIGMAS[mode] ** 2 * np.eye(3))
    np.testing.assert_allclose(tracks["mode_covariance"][:, mode, ACCELERATION, ACCELERATION], expected, rtol=1e-4)
    along = tracks["mode_covariance"][1, mode, 0]
    np.testing.assert_allclose(along[6], SIGMAS[mode] ** 2 * log(2) ** 2 / 2, rtol=1e-3)


def test_a_manoeuvre_that_goes_on_keeps_its_acceleration():
    tracks = np.zeros(1, dtype=TRACK)
    tracks["mode_probability"] = [[0, 0, 1]]
    tracks["mode_mean"][:, HARD, 6] = 7.0
    predict(tracks, log(2), LASTING)
    np.testing.assert_allclose(tracks["mode_mean"][0, [GENTLE, HARD], 6], 7.0, rtol=1e-5)
    np.testing.assert_allclose(tracks["mode_covariance"][0, [GENTLE, HARD], 6, 6], 0.0, atol=1e-3)


def test_a_crowd_in_blocks_is_predicted_as_each_alone():
    tracks = table(5, 2 * BLOCK + 3)
    alone = [tracks[row : row + 1].copy() for row in range(len(tracks))]
    predict(tracks, 0.7, PARAMETERS)
    for row, one in enumerate(alone):
        predict(one, 0.7, PARAMETERS)
        for values, expected in zip(Modes.of(tracks[row : row + 1]), Modes.of(one), strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-9)
