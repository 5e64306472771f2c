"""Classifier: the most probable object type by cross-section, motion and reply, where it is probable enough.

A naive Bayes classifier (Duda, Hart & Stork 2001, section 2.11) over `CLASSES`, which have equal priors:
- Cross-section. The mean of L looks at a Swerling I contact has a gamma distribution. The variance of its natural
  logarithm is trigamma(L), close to 1 / (L - 1/2) (Johnson, Kotz & Balakrishnan 1994, chapter 17; Abramowitz & Stegun
  1964, 6.4.12). An exponential mean of weight w has w / (2 - w) of a look's variance (Roberts, Technometrics 1, 1959),
  so L is the inverse, or the hits, if fewer. The spread of the class's members is added. Near the radar's
  threshold only the stronger looks are detected, and a contact seems up to 4 dB larger than it is.
- Motion. A class is a mixture of motions. In each the estimated velocity is normal about zero, with the motion's
  variance and the estimate's own, both taken as isotropic.
- Reply. An identity, even a false one, proves a transmitter. Silence counts in short range only, and little: a silent
  contact may be a foe. So a silent contact is classified by its size and motion or, mostly, not at all.
The classes are wider than any one world. Their typical cross-sections are those of the platform's world
(`docs/scenarios.md`); the spread allows a scenario to choose its own within a factor of three to six either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import ObjectType
from qiki.tracking.measurement import diagonal
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import VELOCITY, Estimate, TrackTable

LEAST_HITS = 10
"""With fewer looks the mean cross-section of a fluctuating contact is too uncertain."""
LEAST_CONFIDENCE = 0.9
"""Least posterior probability at which a type is reported: at most one in ten may be wrong."""

REST_MPS, DRIFT_MPS, FLIGHT_MPS = 0.5, 12.0, 40.0
"""Station keeping; without an engine, or with it off; a vehicle under way."""
NEVER = 0.001
"""Not zero: a rock's track may be assigned a neighbour's reply."""


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """Contacts of one type, as independent distributions."""

    rcs_dbsm: float  # typical mean cross-section
    rcs_spread_db: float  # standard deviation of its members' mean cross-sections
    motion: Mapping[float, float]  # share by the standard deviation of each component of world velocity [m/s]
    answers: float  # probability that a member in short range identifies itself


ADRIFT = {DRIFT_MPS: 0.9, REST_MPS: 0.1}
MOSTLY_UNDER_WAY = {FLIGHT_MPS: 0.4, DRIFT_MPS: 0.4, REST_MPS: 0.2}
CLASSES: Mapping[ObjectType, ObjectClass] = {
    ObjectType.DRONE: ObjectClass(0.0, 6.0, MOSTLY_UNDER_WAY, answers=0.6),
    ObjectType.SHIP: ObjectClass(23.0, 6.0, MOSTLY_UNDER_WAY, answers=0.6),
    ObjectType.STATION: ObjectClass(33.0, 5.0, {REST_MPS: 1.0}, answers=0.9),
    ObjectType.ASTEROID: ObjectClass(27.0, 8.0, ADRIFT, answers=NEVER),
    ObjectType.DEBRIS: ObjectClass(-3.0, 6.0, ADRIFT, answers=NEVER),
}
"""A vehicle is often silent and adrift: then a rock or wreck of its size cannot be distinguished from it."""

STRANGE = ObjectClass(10.0, 25.0, {120.0: 1.0}, answers=0.5)
"""None of these: a contact unlike all types must not be classified as the least unlike."""
STRANGE_SHARE = 0.1
"""Prior of a strange contact, relative to one of any type."""

NEPER_DB = 10 / log(10)
TINY = np.finfo(np.float64).tiny
"""Below any density that carries information."""
ANSWERS = 2
"""Index of evidence from the reply: 0 unknown, 1 silence in short range, 2 an identity held."""
MOTIONS = sorted({sigma_mps for one in (STRANGE, *CLASSES.values()) for sigma_mps in one.motion})


@dataclass(frozen=True, eq=False, slots=True)
class _Assumptions:
    """The classes as arrays, in the order of ObjectType; number 0, unspecified, is `STRANGE`."""

    rcs_dbsm: Array  # (6,) typical mean cross-section
    rcs_scale: Array  # (6,) 1 / (√2 · standard deviation of the cross-section) [1/dB]
    motion: Array  # (4,) three times the variance of a component of velocity [m²/s²], motion by motion
    mixture: Array  # (4, 6) share of each motion in a class
    prior: Array  # (3, 6) logarithm of the density's constant factors, by evidence from the reply


def object_types(
    tracks: TrackTable, estimate: Estimate, near: Mask, gone: Mask, parameters: TrackerParameters
) -> tuple[NDArray[np.int8], Array]:
    """Return the ObjectType of each track, (n,), and its probability, (n,); unspecified and 0 where it is unsure.

    `near`, (n,): tracks in short range, where replies are received. `gone`, (n,): tracks that are deleted now.
    """
    assumed = _assumptions(parameters.smoothing)
    velocity = estimate.mean[:, VELOCITY]
    variance = diagonal(estimate.covariance[:, VELOCITY, VELOCITY]).sum(-1)[:, None] + assumed.motion  # three times
    moves = np.exp(-1.5 * np.vecdot(velocity, velocity)[:, None] / variance) / (variance * np.sqrt(variance))
    size = (10 * np.log10(tracks["rcs_m2"])[:, None] - assumed.rcs_dbsm) * assumed.rcs_scale
    answers = tracks["claims"] >= parameters.identity_claims
    reply = np.where(answers, ANSWERS, near & (tracks["claims"] == 0))
    density = np.exp(assumed.prior[reply] - size * size) * (moves @ assumed.mixture)
    confidence = density[:, 1:].max(-1) / np.maximum(density.sum(-1), TINY)
    said = (confidence >= LEAST_CONFIDENCE) & (tracks["hits"] >= LEAST_HITS) & tracks["confirmed"] & ~gone
    return (density.argmax(-1) * said).astype(np.int8), confidence * said


@cache
def _assumptions(smoothing: float) -> _Assumptions:
    classes = (STRANGE, *CLASSES.values())
    looks = min(LEAST_HITS, (2 - smoothing) / smoothing)
    spread_db = np.hypot([one.rcs_spread_db for one in classes], NEPER_DB / sqrt(looks - 0.5))
    answers = np.array([one.answers for one in classes])
    known = np.log([STRANGE_SHARE] + [1.0] * len(CLASSES)) - np.log(spread_db)
    return _Assumptions(
        rcs_dbsm=np.array([one.rcs_dbsm for one in classes]),
        rcs_scale=sqrt(0.5) / spread_db,
        motion=3 * np.square(MOTIONS),
        mixture=np.array([[one.motion.get(sigma_mps, 0.0) for one in classes] for sigma_mps in MOTIONS]),
        prior=np.array((known, known + np.log(1 - answers), known + np.log(answers))),
    )
