"""The whole state of each track, and its prediction."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Estimates, Tracker, TrackerParameters, predict
from qiki.tracking.predictor import manoeuvre, quiet_flight, switching
from qiki.tracking.predictor import predict as predict_in_place
from qiki.tracking.tracks import ACCELERATION, MODES, QUIET, Header, Modes, merged
from qiki.world.scenario import load_scenario
from qiki_harness.scoring.offline import looks

PARAMETERS = TrackerParameters()
RUNS = 200_000


def one(quiet: float = 0.8) -> Estimates:
    """A track that flies east at 20 m/s, and north-east if it turns; in quiet flight it has no acceleration."""
    rng = np.random.default_rng(3)
    factors = rng.normal(0, 1, (MODES, 9, 9)) * np.repeat([2.0, 0.5, 0.3], 3)[:, None]
    factors[QUIET, ACCELERATION] = 0
    motions = [1000.0, 0, 0, 20, 0, 0, 0, 0, 0], [1000.0, 2, 0, 19, 3, 0, 0, 1.5, 0], [1001.0, 3, 0, 18, 6, 0, 0, 9, 0]
    probability = np.array([[quiet, 0.6 * (1 - quiet), 0.4 * (1 - quiet)]])
    modes = Modes(probability, np.array([motions]), (factors @ factors.swapaxes(1, 2))[None])
    return Estimates(["a"], modes, np.ones(1))


def test_now_it_is_where_it_is():
    position, covariance = predict(one(), 0.0)
    np.testing.assert_allclose(position, one().merged.mean[:, :3])
    np.testing.assert_allclose(covariance, one().merged.covariance[:, :3, :3])


@pytest.mark.parametrize("quiet", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("t_s", [0.5, 3.0, 8.0])
def test_it_has_the_moments_of_contacts_that_move_by_the_model(t_s: float, quiet: float):
    """Each contact switches its mode once a step by chance, and moves as the mode does.

    A manoeuvre that begins has an acceleration of its kind; one that changes to the other kind keeps its own.
    """
    rng, estimate = np.random.default_rng(1), one(quiet)
    steps = int(np.ceil(t_s))
    dt_s = t_s / steps
    mode = rng.choice(MODES, RUNS, p=estimate.modes.probability[0])
    state = np.empty((RUNS, 3, 3))
    for number, (mean, spread) in enumerate(zip(estimate.modes.mean[0], estimate.modes.covariance[0], strict=True)):
        rows = np.flatnonzero(mode == number)
        state[rows] = rng.multivariate_normal(mean, spread, len(rows)).reshape(-1, 3, 3)
    up_to = switching(PARAMETERS, dt_s).cumsum(1)
    sigmas = np.array([0, PARAMETERS.gentle_acceleration_mps2, PARAMETERS.sigma_acceleration_mps2])
    models = [quiet_flight(PARAMETERS, dt_s), *(manoeuvre(PARAMETERS, sigma, dt_s) for sigma in sigmas[1:])]
    for _ in range(steps):
        was_quiet = mode == QUIET
        mode = (rng.random(RUNS)[:, None] > up_to[mode, :-1]).sum(1)
        begun = np.flatnonzero(was_quiet & (mode != QUIET))
        state[begun, 2] = rng.normal(size=(len(begun), 3)) * sigmas[mode[begun], None]
        later = np.empty_like(state)
        for number, (transition, noise) in enumerate(models):
            rows = np.flatnonzero(mode == number)
            shaken = rng.multivariate_normal(np.zeros(3), noise, (len(rows), 3)).swapaxes(1, 2)
            later[rows] = np.asarray(transition) @ state[rows] + shaken
        state = later
    position, covariance = predict(estimate, t_s)
    spread = np.sqrt(np.diagonal(covariance[0]))
    np.testing.assert_allclose(state[:, 0].mean(0), position[0], atol=0.02 * spread.max())
    sampled = np.cov(state[:, 0].T)
    np.testing.assert_allclose(sampled / np.outer(spread, spread), covariance[0] / np.outer(spread, spread), atol=0.05)


def test_it_grows_wider_with_time():
    still = np.broadcast_to(np.diag([4.0] * 3 + [0.1] * 3 + [0.2] * 3), (1, MODES, 9, 9))
    estimate = replace(one(), modes=one().modes._replace(covariance=still))
    widths = [np.trace(predict(estimate, t_s)[1][0]) for t_s in (0, 0.5, 1, 2, 5, 10, 30, 60)]
    assert widths == sorted(widths)


def test_a_second_ahead_is_what_the_filter_itself_predicts():
    scenario = load_scenario("swarm-50")
    tracker = Tracker(UUID(int=1), PARAMETERS, scenario.identities)
    for look in looks(scenario, 1, 5.0):
        tracker.step(look.scan)
    header, tracks = Header.unpack(tracker.snapshot())
    undecided = tracks["mode_probability"].min(1) > 0.1
    assert undecided.any()
    assert header.tracks == len(tracker.estimates().track_id)
    predict_in_place(tracks, 1.0, PARAMETERS)
    position, covariance = predict(tracker.estimates(), 1.0)
    np.testing.assert_allclose(position, merged(tracks).mean[:, :3])
    np.testing.assert_allclose(covariance, merged(tracks).covariance[:, :3, :3])


@pytest.mark.parametrize("t_s", [-0.1, 60.1, float("nan")])
def test_other_times_are_refused(t_s: float):
    with pytest.raises(ValueError, match=r"s ahead \(expected 0 to 60\)"):
        predict(one(), t_s)


def test_of_nobody_it_is_nothing():
    nobody = one().take(np.zeros(0, dtype=np.intp))
    assert [len(values) for values in predict(nobody, 5.0)] == [0, 0]


def test_a_tracker_tells_the_states_of_its_live_tracks():
    scenario = load_scenario("clutter")
    tracker = Tracker(UUID(int=1), PARAMETERS, scenario.identities)
    lost = 0
    for look in looks(scenario, 1, 20.0):
        reports, estimates = tracker.step(look.scan), tracker.estimates()
        alive = reports.status != RadarTrackStatus.LOST
        lost += int((~alive).sum())
        assert estimates.track_id == [name for name, live in zip(reports.track_id, alive, strict=True) if live]
        merged = estimates.merged
        relative = merged.mean[:, :3] - look.scan.own_position
        np.testing.assert_allclose(relative, reports.position[alive], atol=1e-6)
        np.testing.assert_allclose(estimates.existence, reports.quality[alive])
        upper = merged.covariance[:, *np.triu_indices(3)]
        np.testing.assert_allclose(upper, reports.position_covariance[alive], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(estimates.modes.probability.sum(1), 1)
    assert lost


@pytest.mark.parametrize("name", ["crossing", "mixed-traffic", "swarm-50"])
def test_contacts_are_where_it_expects_them(name: str):
    """The ellipsoid of 99 %, two and five seconds ahead, of tracks that are sure."""
    scenario = load_scenario(name)
    seen = list(looks(scenario, 2, 20.0))
    tracker, told = Tracker(UUID(int=1), PARAMETERS, scenario.identities), []
    for look in seen:
        tracker.step(look.scan)
        told.append(tracker.estimates())
    for ahead_s in (2, 5):
        inside = []
        for number in range(20, len(seen) - 10 * ahead_s, 10):
            later, now = seen[number + 10 * ahead_s].truth, seen[number].truth
            estimates = told[number].take(np.flatnonzero(told[number].existence > 0.99))
            position, covariance = predict(estimates, float(ahead_s))
            for row, state in enumerate(estimates.merged.mean):
                apart = np.linalg.norm(now.position - state[:3], axis=1)
                contact = now.ids[int(apart.argmin())]
                if apart.min() < 50 and contact in later.ids:
                    error = later.position[later.ids.index(contact)] - position[row]
                    inside.append(error @ np.linalg.solve(covariance[row], error) <= 11.345)
        assert np.mean(inside) >= 0.96
