"""Predictor: three interacting models of motion, quiet flight, a gentle and a hard manoeuvre.

Interacting multiple models: Bar-Shalom, Li & Kirubarajan 2001, section 11.6.6. Quiet flight has nearly constant
velocity (white-noise acceleration, section 6.2.2) and no acceleration; a manoeuvre has one that lasts a while (Singer
1970; section 8.2.3). It is drawn when the manoeuvre begins. The hard manoeuvre alone would be too wide for a slow turn
across the line of sight: such a turn hides in the noise of the angles, and the filter would stay in quiet flight.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp

import numpy as np

from qiki.arrays import Array, blocks
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import ACCELERATION, BLOCK, MODES, QUIET, STATE, Modes, TrackTable

AXES = np.eye(3)
KINDS = MODES - 1
"""Of manoeuvres."""
OneAxis = Sequence[Sequence[float]]
"""Rows for position, velocity and acceleration along one axis."""


def switching(parameters: TrackerParameters, dt_s: float) -> Array:
    """Return the transition probabilities of the Markov chain over `dt_s`, from mode i to mode j: (3, 3).

    A manoeuvre begins and ends in quiet flight; half of them are gentle.
    """
    leave_quiet, leave_manoeuvre = 1 / parameters.quiet_sojourn_s, 1 / parameters.manoeuvre_sojourn_s
    mixed = (1 - exp(-(leave_quiet + leave_manoeuvre) * dt_s)) / (leave_quiet + leave_manoeuvre)
    to_manoeuvre, to_quiet = leave_quiet * mixed, leave_manoeuvre * mixed
    lasting = exp(-leave_manoeuvre * dt_s)
    another = (1 - to_quiet - lasting) / KINDS
    chain = np.full((MODES, MODES), another)
    chain[QUIET], chain[:, QUIET], chain[QUIET, QUIET] = to_manoeuvre / KINDS, to_quiet, 1 - to_manoeuvre
    chain[1:, 1:] += lasting * np.eye(KINDS)
    return chain


def quiet_flight(parameters: TrackerParameters, dt_s: float) -> tuple[OneAxis, OneAxis]:
    """Return one axis' transition and process noise: (3, 3) each."""
    t, psd = dt_s, parameters.quiet_psd
    transition: OneAxis = [[1, t, 0], [0, 1, 0], [0, 0, 0]]
    return transition, [[psd * t**3 / 3, psd * t**2 / 2, 0], [psd * t**2 / 2, psd * t, 0], [0, 0, 0]]


def manoeuvre(parameters: TrackerParameters, sigma_mps2: float, dt_s: float) -> tuple[OneAxis, OneAxis]:
    """Return one axis' transition and process noise, (3, 3) each, of a manoeuvre of such an acceleration.

    The noise is Singer's to leading order in dt over memory; for long steps it is at most too large.
    """
    t, memory = dt_s, parameters.acceleration_memory_s
    kept = exp(-t / memory)
    psd = 2 * sigma_mps2**2 / memory
    p, pv, pa, v, va, a = (psd * t**n / k for n, k in ((5, 20), (4, 8), (3, 6), (3, 3), (2, 2), (1, 1)))
    transition = [[1, t, memory * (t - memory * (1 - kept))], [0, 1, memory * (1 - kept)], [0, 0, kept]]
    return transition, [[p, pv, pa], [pv, v, va], [pa, va, a]]


def mix(modes: Modes, switch: Array) -> Modes:
    """Return the mixed modes, as they are before the next step."""
    before, mean, covariance = modes
    now = before @ switch
    weight = switch.T * before[:, None, :] / now[:, :, None]
    # Second moments about the first mode's mean: the modes are near, and no digits are lost.
    apart = mean - mean[:, :1]
    moment = covariance + apart[..., None] * apart[..., None, :]
    mixed_apart = weight @ apart
    mixed = (weight @ moment.reshape(-1, MODES, STATE * STATE)).reshape(covariance.shape)
    mixed -= mixed_apart[..., None] * mixed_apart[..., None, :]
    return Modes(now, mean[:, :1] + mixed_apart, mixed)


def predicted(modes: Modes, dt_s: float, parameters: TrackerParameters) -> Modes:
    """Return the modes after `dt_s`."""
    switch, transition, noise, fresh = _models(parameters, dt_s)
    probability, mean, covariance = mix(modes, switch)
    # Of contacts that were in quiet flight, the manoeuvre's acceleration is new.
    begun = switch[QUIET] * modes.probability[:, :1] / probability
    covariance += begun[:, :, None, None] * fresh
    later = transition @ covariance @ transition.swapaxes(-1, -2) + noise
    return Modes(probability, np.matvec(transition, mean), later)


def predict(tracks: TrackTable, dt_s: float, parameters: TrackerParameters) -> None:
    """Predict all tracks over `dt_s`, in place."""
    for rows in blocks(len(tracks), BLOCK):
        part = tracks[rows]
        part["mode_probability"], part["mode_mean"], part["mode_covariance"] = predicted(
            Modes.of(part), dt_s, parameters
        )


@lru_cache(maxsize=64)
def _models(parameters: TrackerParameters, dt_s: float) -> tuple[Array, Array, Array, Array]:
    """Return the modes' switching (3, 3), transitions, process noises and new accelerations, (3, 9, 9) each.

    Few intervals are asked for.
    """
    sigmas = parameters.gentle_acceleration_mps2, parameters.sigma_acceleration_mps2
    models = [quiet_flight(parameters, dt_s), *(manoeuvre(parameters, sigma, dt_s) for sigma in sigmas)]
    transition, noise = np.einsum("mkab,ij->kmaibj", np.array(models), AXES).reshape(2, MODES, STATE, STATE)
    fresh = np.zeros((MODES, STATE, STATE))
    fresh[1:, ACCELERATION, ACCELERATION] = np.square(sigmas)[:, None, None] * AXES
    return switching(parameters, dt_s), transition, noise, fresh
