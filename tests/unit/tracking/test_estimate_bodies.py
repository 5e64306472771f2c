"""Estimates on the wire: their text, and predictions from what is read again."""

import json
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.estimates import MAX_ESTIMATES_BYTES, TrackEstimates
from qiki.tracking import Estimates, Tracker, TrackerParameters, predict
from qiki.tracking.estimate_bodies import UPPER, estimate_bodies, read_estimates, rounded
from qiki.tracking.estimates import predict_path
from qiki.tracking.tracks import MODES, Modes
from qiki.world.scenario import load_scenario
from qiki_harness.scoring.offline import looks

PARAMETERS = TrackerParameters()
RUN = UUID(int=1)
TIME = "2026-01-01T00:00:00.000000Z"
WITHIN_99 = 11.345  # chi-square, three degrees of freedom
NOBODY = Estimates([], Modes(np.zeros((0, MODES)), np.zeros((0, MODES, 9)), np.zeros((0, MODES, 9, 9))), np.zeros(0))


def flown(name: str, seconds: float, seed: int = 2):
    """Each look, and the estimates after it."""
    scenario = load_scenario(name)
    tracker = Tracker(RUN, PARAMETERS, scenario.identities)
    for look in looks(scenario, seed, seconds):
        tracker.step(look.scan)
        yield look, tracker.estimates()


@pytest.fixture(scope="module")
def swarm() -> Estimates:
    *_, (_, estimates) = flown("swarm-50", 4.0)
    return estimates


def read(bodies: list[bytes]) -> list[TrackEstimates]:
    return [TrackEstimates.from_json(body) for body in bodies]


def through(estimates: Estimates) -> Estimates:
    """The estimates as a reader has them."""
    return read_estimates([one for part in read(estimate_bodies(estimates, "run", 0, TIME)) for one in part.tracks])


def many(estimates: Estimates, count: int) -> Estimates:
    return estimates.take(np.arange(count) % len(estimates.track_id))


def test_a_body_is_that_of_its_model(swarm: Estimates):
    (body,) = estimate_bodies(swarm, str(RUN), 7, TIME)
    part = TrackEstimates.from_json(body)
    assert (part.run_id, part.frame, part.part, part.parts) == (str(RUN), 7, 1, 1)
    assert json.loads(body) == json.loads(part.to_json())
    assert list(json.loads(body)) == list(TrackEstimates.model_fields)
    assert [str(one.track_id) for one in part.tracks] == swarm.track_id
    np.testing.assert_array_equal([one.existence for one in part.tracks], swarm.existence)
    np.testing.assert_array_equal([one.mode_probabilities for one in part.tracks], swarm.modes.probability)


def test_state_and_covariance_are_the_merged_ones(swarm: Estimates):
    (part,) = read(estimate_bodies(swarm, str(RUN), 7, TIME))
    merged = swarm.merged
    np.testing.assert_allclose([one.state for one in part.tracks], merged.mean, rtol=1e-12, atol=1e-12)
    motion = np.flatnonzero((UPPER[0] < 6) & (UPPER[1] < 6))
    told = np.array([one.covariance for one in part.tracks])[:, motion]
    np.testing.assert_allclose(told, merged.covariance[:, UPPER[0], UPPER[1]][:, motion], rtol=5e-6)


def test_a_frame_without_tracks_is_one_empty_part():
    (part,) = read(estimate_bodies(NOBODY, str(RUN), 7, TIME))
    assert (part.part, part.parts, part.tracks) == (1, 1, ())
    assert len(read_estimates(part.tracks).track_id) == 0


@pytest.mark.parametrize(("count", "parts"), [(900, 1), (2000, 2), (4000, 4)])
def test_no_part_is_too_large_and_none_is_missing(swarm: Estimates, count: int, parts: int):
    bodies = estimate_bodies(many(swarm, count), str(RUN), 7, TIME)
    assert max(map(len, bodies)) <= MAX_ESTIMATES_BYTES
    told = read(bodies)
    assert [(one.part, one.parts) for one in told] == [(n, parts) for n in range(1, parts + 1)]
    assert [str(track.track_id) for one in told for track in one.tracks] == many(swarm, count).track_id


def test_six_digits_are_those_of_a_formatted_number():
    rng = np.random.default_rng(1)
    values = np.append(rng.normal(size=20_000) * 10.0 ** rng.integers(-12, 13, 20_000), [0.0, -0.0, 1e6, 999999.5])
    assert rounded(values).tolist() == [float(f"{value:.6g}") for value in values.tolist()]
    assert not np.signbit(rounded(np.array([-0.0]))).any()


def test_what_is_read_merges_into_what_was_sent(swarm: Estimates):
    found = through(swarm)
    assert found.track_id == swarm.track_id
    np.testing.assert_allclose(found.merged.mean, swarm.merged.mean, rtol=1e-9, atol=1e-6)
    spread = np.sqrt(np.diagonal(swarm.merged.covariance, axis1=1, axis2=2))[:, :6]
    scale = spread[:, :, None] * spread[:, None, :]
    apart = found.merged.covariance[:, :6, :6] - swarm.merged.covariance[:, :6, :6]
    assert np.abs(apart / scale).max() < 1e-3


@pytest.mark.parametrize("name", ["manoeuvre", "mixed-traffic"])
def test_predictions_from_the_wire_are_those_from_the_modes(name: str):
    """Position within a small part of its sigma; the 99 % ellipsoid holds the contact as often."""
    ahead_s = (2.0, 5.0, 10.0)
    seen = list(flown(name, 50.0))
    period_s = (seen[1][0].scan.t_us - seen[0][0].scan.t_us) / 1e6
    inside: dict[float, list[list[bool]]] = {t_s: [] for t_s in ahead_s}
    for number in range(round(5 / period_s), len(seen) - round(10 / period_s), max(1, round(0.5 / period_s))):
        look, estimates = seen[number]
        estimates = estimates.take(np.flatnonzero(estimates.existence > 0.99))
        exact, wired = (predict_path(one, ahead_s) for one in (estimates, through(estimates)))
        sigma = np.sqrt(np.linalg.eigvalsh(exact[1])[..., 0])
        assert (np.linalg.norm(exact[0] - wired[0], axis=-1) < 0.1 * sigma).all()
        for column, t_s in enumerate(ahead_s):
            later = seen[number + round(t_s / period_s)][0].truth
            for row, state in enumerate(estimates.merged.mean):
                apart = np.linalg.norm(look.truth.position - state[:3], axis=1)
                contact = look.truth.ids[int(apart.argmin())]
                if apart.min() < 50 and contact in later.ids:
                    truth = later.position[later.ids.index(contact)]
                    errors = [
                        (truth - position[row, column], spread[row, column]) for position, spread in (exact, wired)
                    ]
                    inside[t_s].append(
                        [error @ np.linalg.solve(spread, error) <= WITHIN_99 for error, spread in errors]
                    )
    for held in inside.values():
        of_modes, of_wire = np.mean(held, axis=0)
        assert len(held) > 100
        assert abs(of_modes - of_wire) <= 0.01


@pytest.mark.parametrize("probabilities", [(1.0,), (0.7, 0.3), (0.7, 0.2, 0.1), (0.0, 0.5, 0.25, 0.25), (0.5, 0.0)])
def test_a_message_may_have_another_number_of_modes(swarm: Estimates, probabilities: tuple[float, ...]):
    (part,) = read(estimate_bodies(swarm, str(RUN), 7, TIME))
    told = [one.model_copy(update={"mode_probabilities": probabilities}) for one in part.tracks]
    estimates = read_estimates(told)
    np.testing.assert_allclose(estimates.modes.probability.sum(1), 1)
    np.testing.assert_allclose(estimates.modes.probability[:, 0], probabilities[0])
    for values in predict(estimates, 10.0):
        assert np.isfinite(values).all()


def test_what_is_no_covariance_is_read_as_the_nearest_one(swarm: Estimates):
    (part,) = read(estimate_bodies(swarm, str(RUN), 7, TIME))
    triangle = np.eye(9)[UPPER] - 2 * (UPPER[0] == UPPER[1]) * (UPPER[0] % 3 == 0)
    told = [one.model_copy(update={"covariance": tuple(triangle.tolist())}) for one in part.tracks]
    modes = read_estimates(told).modes
    assert np.linalg.eigvalsh(modes.covariance).min() > -1e-9


def test_a_path_is_what_each_prediction_is(swarm: Estimates):
    positions, covariances = predict_path(swarm, (0.0, 1.0, 2.0, 10.0))
    for column, t_s in enumerate((0.0, 1.0, 2.0, 10.0)):
        position, covariance = predict(swarm, t_s)
        np.testing.assert_allclose(positions[:, column], position)
        np.testing.assert_allclose(covariances[:, column], covariance)


@pytest.mark.parametrize("times_s", [(2.0, 1.0), (-1.0,), (60.5,)])
def test_times_that_go_back_or_too_far_are_refused(swarm: Estimates, times_s: tuple[float, ...]):
    with pytest.raises(ValueError, match="ahead"):
        predict_path(swarm, times_s)


def test_seen_from_the_bot_only_place_and_velocity_change(swarm: Estimates):
    own = np.array([100.0, -5.0, 3.0]), np.array([1.0, 2.0, 0.0])
    seen = swarm.seen_from(*own)
    change = swarm.merged.mean - seen.merged.mean
    np.testing.assert_allclose(change, np.broadcast_to([*own[0], *own[1], 0, 0, 0], change.shape), atol=1e-9)
    np.testing.assert_allclose(seen.merged.covariance, swarm.merged.covariance, rtol=1e-6, atol=1e-9)
    assert replace(seen, modes=swarm.modes).track_id == swarm.track_id
