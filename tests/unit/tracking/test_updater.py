"""Correction in the gate and in the updater: one linearisation where it is enough, two where the state is bent."""

import numpy as np
import pytest

from qiki.tracking import Scan, TrackerParameters
from qiki.tracking.gate import BEND, NO_PAIRS, Pairs, gate, joined
from qiki.tracking.initiator import initiate
from qiki.tracking.measurement import Measurements, OwnState, inverse, measured, quadratic
from qiki.tracking.predictor import predict
from qiki.tracking.score import Rates
from qiki.tracking.tracks import BLOCK, HARD, MOTION, TRACK, Modes, TrackTable
from qiki.tracking.updater import LEAST_MODE_PROBABILITY, store, update

PARAMETERS = TrackerParameters()
OWN = OwnState(np.array([30.0, -20.0, 5.0]), np.array([4.0, -3.0, 1.0]))


def known(rng: np.random.Generator, size: int, sigma_mps: float) -> TrackTable:
    """Tracks half a kilometre to 5 km away, their velocities known to `sigma_mps`."""
    tracks = np.zeros(size, dtype=TRACK)
    sight = rng.normal(size=(size, 3))
    sight /= np.linalg.norm(sight, axis=1)[:, None]
    tracks["mode_mean"][:, :, :3] = (rng.uniform(500, 5_000, (size, 1)) * sight)[:, None]
    tracks["mode_mean"][:, :, 3:6] = rng.normal(0, 40, (size, 1, 3))
    tracks["mode_covariance"] = np.diag([6.0**2] * 3 + [sigma_mps**2] * 3 + [0.0] * 3)
    tracks["mode_probability"] = [0.8, 0.1, 0.1]
    tracks["detection_probability"] = 0.9
    return tracks


def plots_of(rng: np.random.Generator, tracks: TrackTable) -> Measurements:
    """A plot of each track, of a contact that its state may have."""
    shake = rng.normal(size=(len(tracks), 6)) * np.sqrt(np.diagonal(tracks["mode_covariance"][0, 0])[:6])
    state = tracks["mode_mean"][:, 0, MOTION] + shake
    relative, velocity = state[:, :3] - OWN.position, state[:, 3:] - OWN.velocity
    range_m = np.linalg.norm(relative, axis=1)
    sight = relative / range_m[:, None]
    return measured(range_m, sight, np.vecdot(sight, velocity), np.full(len(tracks), 20.0), PARAMETERS)


def own_pairs(tracks: TrackTable, plots: Measurements) -> Pairs:
    pairs = gate(tracks, plots, OWN, PARAMETERS)
    return pairs.take(np.flatnonzero(pairs.track == pairs.plot))


def apart(tracks: TrackTable, plots: Measurements, pairs: Pairs):
    """Squared distance of the corrected states from those of a second linearisation, in their own sigmas."""
    again, first = tracks.copy(), pairs.corrected.merged(MOTION)
    update(again, pairs.track, plots.take(pairs.plot), first.mean, OWN)
    second = Modes.of(again).take(pairs.track).merged(MOTION)
    return quadratic(second.mean - first.mean, inverse(first.covariance))


@pytest.mark.parametrize(
    ("sigma_mps", "least", "most"), [(0.3, 0.001, 0.02), (3.0, 0.03, 0.12), (30.0, 0.25, 0.45), (120.0, 0.5, 0.8)]
)
def test_what_is_not_bent_is_as_linearised_again(sigma_mps: float, least: float, most: float):
    """Range and range rate are each off by a share of their noise at most, so the state by no more of its own."""
    rng = np.random.default_rng(1)
    tracks = known(rng, 2_000, sigma_mps)
    plots = plots_of(rng, tracks)
    pairs = own_pairs(tracks, plots)
    assert len(pairs) > 1_990
    assert least <= pairs.bent.mean() <= most
    off = apart(tracks, plots, pairs)
    assert off[~pairs.bent].max() <= BEND**2
    assert off[~pairs.bent].mean() < 0.1 * off[pairs.bent].mean()


def first_track(sight: list[float]) -> TrackTable:
    """A new track 1 km away: across the line of sight its velocity is unknown."""
    plots = measured(np.array([1_000.0]), np.array([sight]), np.zeros(1), np.array([20.0]), PARAMETERS)
    scan = Scan(
        t_us=0,
        own_position=np.zeros(3),
        own_velocity=np.zeros(3),
        range_m=plots.range_m,
        line_of_sight=plots.sight,
        doppler_mps=plots.doppler_mps,
        snr_db=np.array([20.0]),
        rcs_dbsm=np.zeros(1),
        long_range=np.zeros(1, dtype=np.bool_),
        transponder_on=np.zeros(1, dtype=np.bool_),
        transponder_mode=np.zeros(1, dtype=np.int8),
        transponder_id=[None],
    )
    rows = np.zeros(1, dtype=np.intp)
    return initiate(scan, plots, rows, np.ones(1, dtype=np.bool_), 0, Rates.of(PARAMETERS), PARAMETERS)


@pytest.mark.parametrize(("speed_mps", "bent"), [(60.0, True), (0.0, False)])
def test_a_new_track_is_bent_if_its_contact_moved_across(speed_mps: float, bent: bool):
    """After a second at 60 m/s: 1.8 m of range by an angle of 0.06, and 3.6 m/s of range rate."""
    tracks = first_track([0.0, 1.0, 0.0])
    predict(tracks, 1.0, PARAMETERS)
    place = np.array([[speed_mps, 1_000.0, 0.0]])
    range_m = np.linalg.norm(place, axis=1)
    sight = place / range_m
    plots = measured(range_m, sight, sight @ [speed_mps, 0.0, 0.0], np.array([20.0]), PARAMETERS)
    pairs = gate(tracks, plots, OwnState(np.zeros(3), np.zeros(3)), PARAMETERS)
    assert pairs.bent.tolist() == [bent]


def fields(pairs: Pairs):
    return pairs.track, pairs.plot, pairs.log_likelihood, pairs.bent, *pairs.corrected


def some(size: int):
    rng = np.random.default_rng(2)
    tracks = known(rng, size, 10.0)
    plots = plots_of(rng, tracks)
    return tracks, plots, gate(tracks, plots, OWN, PARAMETERS)


def test_pairs_are_taken_with_all_that_belongs_to_them():
    _, _, pairs = some(12)
    rows = np.array([0, 3, 7])
    for values, taken in zip(fields(pairs), fields(pairs.take(rows)), strict=True):
        np.testing.assert_array_equal(taken, values[rows])
    assert pairs.take(np.arange(len(pairs))) is pairs
    assert len(pairs.take(rows[:0])) == len(NO_PAIRS) == 0


def test_pairs_are_joined_in_their_order():
    _, _, pairs = some(12)
    parts = [pairs.take(rows) for rows in np.split(np.arange(len(pairs)), [3, 3, 8])]
    for values, together in zip(fields(pairs), fields(joined(parts)), strict=True):
        np.testing.assert_array_equal(together, values)
    assert joined([pairs]) is pairs
    assert len(joined([NO_PAIRS, NO_PAIRS])) == 0


def test_a_crowd_in_blocks_is_corrected_as_each_alone():
    tracks, plots, pairs = some(2 * BLOCK + 9)
    assert len(pairs) > 2 * BLOCK
    for row in range(len(tracks)):
        alone, mine = (
            gate(tracks[row : row + 1], plots, OWN, PARAMETERS),
            pairs.take(np.flatnonzero(pairs.track == row)),
        )
        assert alone.plot.tolist() == mine.plot.tolist()
        for values, expected in zip(fields(mine)[2:], fields(alone)[2:], strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)


def test_modes_are_stored_in_their_rows():
    tracks, _, pairs = some(5)
    before, rows = tracks.copy(), np.array([4, 1])
    store(tracks, rows, pairs.corrected.take(np.array([0, 2])))
    for now, then, given_modes in zip(Modes.of(tracks), Modes.of(before), pairs.corrected, strict=True):
        np.testing.assert_array_equal(now[rows], given_modes[[0, 2]])
        np.testing.assert_array_equal(now[[0, 2, 3]], then[[0, 2, 3]])


def test_a_plot_makes_the_mode_that_explains_it_likelier():
    """By hand: two modes as likely at first, one of which expects the plot, the other 4 sigmas off: e^-8 of it."""
    tracks = np.zeros(1, dtype=TRACK)
    tracks["mode_probability"] = [[0.5, 0.0, 0.5]]
    tracks["mode_mean"][:, :, 1] = [[1_000.0, 1_000.0, 1_000.0]]
    tracks["mode_covariance"] = np.diag([4.0] * 3 + [1.0] * 3 + [0.0] * 3)
    plots = measured(np.array([1_000.0]), np.array([[0.0, 1.0, 0.0]]), np.zeros(1), np.array([20.0]), PARAMETERS)
    tracks["mode_mean"][:, HARD, 1] += 4 * np.sqrt(4.0 + plots.sigma_range_m**2)
    update(tracks, np.array([0]), plots, np.array([[0, 1_000.0, 0, 0, 0, 0]]), OwnState(np.zeros(3), np.zeros(3)))
    quiet, least, hard = tracks["mode_probability"][0]
    assert hard / quiet == pytest.approx(np.exp(-8), rel=1e-6)
    assert least == pytest.approx(LEAST_MODE_PROBABILITY, rel=1e-2)
