"""Predictor: two interacting models of motion, quiet flight and manoeuvre.

Interacting multiple models: Bar-Shalom, Li & Kirubarajan 2001, section 11.6.6. Quiet flight has nearly constant
velocity (white-noise acceleration, section 6.2.2); a manoeuvre has an acceleration that lasts a while (Singer 1970;
section 8.2.3). In quiet flight the state's acceleration is the one that a manoeuvre would begin with.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp

import numpy as np

from qiki.arrays import Array
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import MODES, STATE, Modes, TrackTable

AXES = np.eye(3)
OneAxis = Sequence[Sequence[float]]
"""Rows for position, velocity and acceleration along one axis."""


def switching(parameters: TrackerParameters, dt_s: float) -> Array:
    """Return the transition probabilities of the two-state Markov chain over `dt_s`, from mode i to mode j: (2, 2)."""
    leave_quiet, leave_manoeuvre = 1 / parameters.quiet_sojourn_s, 1 / parameters.manoeuvre_sojourn_s
    mixed = (1 - exp(-(leave_quiet + leave_manoeuvre) * dt_s)) / (leave_quiet + leave_manoeuvre)
    to_manoeuvre, to_quiet = leave_quiet * mixed, leave_manoeuvre * mixed
    return np.array([[1 - to_manoeuvre, to_manoeuvre], [to_quiet, 1 - to_quiet]])


def quiet_flight(parameters: TrackerParameters, dt_s: float) -> tuple[OneAxis, OneAxis]:
    """Return one axis' transition and process noise: (3, 3) each."""
    t, psd = dt_s, parameters.quiet_psd
    fresh = parameters.sigma_acceleration_mps2**2
    transition: OneAxis = [[1, t, 0], [0, 1, 0], [0, 0, 0]]
    return transition, [[psd * t**3 / 3, psd * t**2 / 2, 0], [psd * t**2 / 2, psd * t, 0], [0, 0, fresh]]


def manoeuvre(parameters: TrackerParameters, dt_s: float) -> tuple[OneAxis, OneAxis]:
    """Return one axis' transition and process noise: (3, 3) each.

    The noise is Singer's to leading order in dt over memory; for long steps it is at most too large.
    """
    t, memory = dt_s, parameters.acceleration_memory_s
    kept = exp(-t / memory)
    psd = 2 * parameters.sigma_acceleration_mps2**2 / memory
    p, pv, pa, v, va, a = (psd * t**n / k for n, k in ((5, 20), (4, 8), (3, 6), (3, 3), (2, 2), (1, 1)))
    transition = [[1, t, memory * (t - memory * (1 - kept))], [0, 1, memory * (1 - kept)], [0, 0, kept]]
    return transition, [[p, pv, pa], [pv, v, va], [pa, va, a]]


def mix(modes: Modes, switch: Array) -> Modes:
    """Return the mixed modes, as they are before the next step."""
    before, mean, covariance = modes
    now = before @ switch
    weight = switch.T * before[:, None, :] / now[:, :, None]
    apart = mean[:, 0] - mean[:, 1]
    spread = apart[:, :, None] * apart[:, None, :]
    mixed = (weight @ covariance.reshape(-1, MODES, STATE * STATE)).reshape(covariance.shape)
    mixed += (weight[:, :, 0] * weight[:, :, 1])[:, :, None, None] * spread[:, None]
    return Modes(now, weight @ mean, mixed)


def predicted(modes: Modes, dt_s: float, parameters: TrackerParameters) -> Modes:
    """Return the modes after `dt_s`."""
    switch, transition, noise = _models(parameters, dt_s)
    probability, mean, covariance = mix(modes, switch)
    later = transition @ covariance @ transition.swapaxes(-1, -2) + noise
    return Modes(probability, np.matvec(transition, mean), later)


def predict(tracks: TrackTable, dt_s: float, parameters: TrackerParameters) -> None:
    """Predict all tracks over `dt_s`, in place."""
    modes = predicted(Modes.of(tracks), dt_s, parameters)
    tracks["mode_probability"], tracks["mode_mean"], tracks["mode_covariance"] = modes


@lru_cache(maxsize=64)
def _models(parameters: TrackerParameters, dt_s: float) -> tuple[Array, Array, Array]:
    """Return switching (2, 2), transitions and process noises (2, 9, 9) of both modes. Few intervals are asked for."""
    models = np.array([quiet_flight(parameters, dt_s), manoeuvre(parameters, dt_s)])
    transition, noise = np.einsum("mkab,ij->kmaibj", models, AXES).reshape(2, MODES, STATE, STATE)
    return switching(parameters, dt_s), transition, noise
