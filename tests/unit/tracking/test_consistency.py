"""Honest covariances: over many seeded runs the truth lies where the tracker says that it lies."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.arrays import Array
from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker

CONFIRMED = (RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING)
RUNS = 3
CONTACTS = 8
DURATION_S = 20
WITHIN_THREE_SIGMA = 14.156
"""Squared distance that 99.73 % of a normal vector of three components stay below, as 3 sigma do of one."""


def arc(position: Any, velocity: Any, rate: float, begins_s: float, ends_s: float):
    """Straight, a level turn, straight."""

    def at(t_s: float):
        turning = min(max(t_s - begins_s, 0.0), ends_s - begins_s)
        before, after = min(t_s, begins_s), max(t_s - ends_s, 0.0)
        cos, sin = np.cos(rate * turning), np.sin(rate * turning)
        turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]]) @ velocity
        path = np.array([[sin, cos - 1, 0], [1 - cos, sin, 0], [0, 0, rate * turning]]) / rate
        return position + before * velocity + path @ velocity + after * turned, turned

    return at


def cast(rng: np.random.Generator, speeds: tuple[float, float], turn_mps2: float):
    contacts = []
    for _ in range(CONTACTS):
        sight, heading = (vector / np.linalg.norm(vector) for vector in rng.normal(size=(2, 3)))
        speed = rng.uniform(*speeds)
        rate = rng.choice([-1, 1]) * max(rng.uniform(0, turn_mps2) / max(speed, 1.0), 1e-6)
        contacts.append(arc(sight * rng.uniform(300, 12_000), heading * speed, rate, 10.0, 15.0))
    return contacts


def distances(
    small_radar: Any,
    world: Any,
    make_tracker: Callable[..., Tracker],
    seed: int,
    dt_s: float,
    speeds: tuple[float, float],
    turn_mps2: float,
    thrust: Array,
):
    """Squared distances of truth from estimate, of all confirmed tracks in all frames: position, velocity."""
    rng = np.random.default_rng([seed, 7])
    contacts, radar, tracker = cast(rng, speeds, turn_mps2), small_radar(rng), make_tracker()
    result = []
    for t_s in np.arange(0, DURATION_S, dt_s):
        burn_s = min(t_s, 10.0)
        own_velocity = thrust * burn_s
        own_position = own_velocity * (t_s - burn_s / 2)
        position, velocity = map(np.array, zip(*(contact(t_s) for contact in contacts), strict=True))
        reports = tracker.step(radar.look(t_s, world(position, velocity, own_position, own_velocity)))
        rows = np.flatnonzero(np.isin(reports.status, CONFIRMED))
        apart = reports.position[rows][:, None] - (position - own_position)
        nearest = np.argmin(np.linalg.norm(apart, axis=2), axis=1)
        result += zip(
            squared(apart[np.arange(len(rows)), nearest], reports.position_covariance[rows]),
            squared(reports.velocity[rows] - velocity[nearest] + own_velocity, reports.velocity_covariance[rows]),
            strict=True,
        )
    return np.array(result)


def squared(error: Array, upper: Array):
    """Squared Mahalanobis distance of each row."""
    covariance = upper[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    return np.vecdot(error, np.linalg.solve(covariance, error[:, :, None])[:, :, 0]).tolist()


@pytest.mark.parametrize(
    ("dt_s", "speeds", "turn_mps2", "thrust"),
    [
        pytest.param(0.1, (0, 60), 0, np.zeros(3), id="straight"),
        pytest.param(0.1, (150, 300), 0, np.zeros(3), id="fast"),
        pytest.param(0.1, (0, 60), 0, np.array([4.0, -2.0, 1.0]), id="own-burns"),
        pytest.param(0.1, (20, 200), 15, np.zeros(3), id="manoeuvres"),
        pytest.param(1.0, (0, 60), 0, np.zeros(3), id="straight-1hz"),
        pytest.param(1.0, (20, 200), 15, np.array([4.0, -2.0, 1.0]), id="manoeuvres-own-burns-1hz"),
    ],
)
def test_truth_lies_within_three_sigma(
    small_radar: Any,
    world: Any,
    make_tracker: Callable[..., Tracker],
    dt_s: float,
    speeds: tuple[float, float],
    turn_mps2: float,
    thrust: Array,
):
    found = np.concatenate(
        [distances(small_radar, world, make_tracker, seed, dt_s, speeds, turn_mps2, thrust) for seed in range(RUNS)]
    )
    assert len(found) > 0.9 * RUNS * CONTACTS * (DURATION_S / dt_s - 1)
    assert (found <= WITHIN_THREE_SIGMA).mean(axis=0) == pytest.approx([1, 1], abs=0.05)
    # Mean of chi-square with 3 degrees of freedom is 3: far below it the covariance would be idle talk.
    assert 1.5 <= found[:, 0].mean() <= 4.5
