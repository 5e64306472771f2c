"""Object type: the most probable one by cross-section, motion and reply, said only where it is probable enough.

A naive Bayes classifier (Duda, Hart & Stork 2001, section 2.11) over `CLASSES`, which are equally probable beforehand:
- Cross-section. The mean of L looks at a Swerling I contact has a gamma distribution; of its natural logarithm the
  variance is trigamma(L), close to 1 / (L - 1/2) (Johnson, Kotz & Balakrishnan 1994, section 17.8; Abramowitz & Stegun,
  6.4.12). An exponential mean of weight w is worth (2 - w) / w looks: the ratio of its variance to a single look's.
  Near the radar's threshold only the stronger looks are seen, and a contact seems up to 4 dB larger than it is.
- Motion. The estimated velocity is normal about a type's mean, zero, with the type's variance and the estimate's own,
  both taken as the same in all directions.
- Reply. Held identities, false ones too, prove a transmitter. Silence counts in short range only, and for little:
  whoever is silent may be a foe. So what is silent is named by size and motion alone, or, mostly, not at all.
"""

from dataclasses import dataclass
from functools import cache
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from faststream_bridge.tracker.classes import CLASSES, STRANGE, STRANGE_SHARE
from faststream_bridge.tracker.measurement import diagonal
from faststream_bridge.tracker.parameters import TrackerParameters
from faststream_bridge.tracker.tracks import VELOCITY, Estimate, TrackTable
from qiki.geometry import Array

LEAST_HITS = 10
"""Fewer looks say little of the mean cross-section of a fluctuating contact."""
LEAST_CONFIDENCE = 0.9
"""A type is said from this posterior probability on: one such word in ten may be wrong, no more."""

DECIBELS = 10 / log(10)
FIRST = min(CLASSES)
NOTHING, SILENT, ANSWERS = 0, 1, 2
"""What is known of the reply."""


@dataclass(frozen=True, eq=False, slots=True)
class _Hypotheses:
    """A type with one of its kinds of motion each; m in all.

    Attributes:
        size_slope: (m,) times decibels over 1 m², less the offset: the root of the exponent
        size_offset: (m,)
        motion: (m,) three times the variance of a component of velocity [m²/s²]
        prior: (3, m) logarithm of the density's constant parts, by what is known of the reply
        members: (m, 5) which hypotheses are of a type
    """

    size_slope: Array
    size_offset: Array
    motion: Array
    prior: Array
    members: Array


def object_types(
    tracks: TrackTable,
    estimate: Estimate,
    near: NDArray[np.bool_],
    gone: NDArray[np.bool_],
    parameters: TrackerParameters,
) -> tuple[NDArray[np.int8], Array]:
    """ObjectType of each track and the probability of it; unspecified and 0 where nothing is claimed: (n,), (n,).

    Args:
        tracks: the table
        estimate: their merged states
        near: (n,) tracks in short range, where replies are heard
        gone: (n,) tracks that die now
        parameters: how the cross-section is smoothed, how many claims count
    """
    among = _hypotheses(parameters.smoothing)
    velocity = estimate.mean[:, VELOCITY]
    variance = diagonal(estimate.covariance[:, VELOCITY, VELOCITY]).sum(-1)[:, None] + among.motion  # three times
    size = np.log(tracks["rcs_m2"])[:, None] * among.size_slope - among.size_offset
    answers = tracks["claims"] >= parameters.identity_claims
    known = np.where(answers, ANSWERS, near & (tracks["claims"] == 0))
    density = np.log(variance) + np.vecdot(velocity, velocity)[:, None] / variance
    density = among.prior[known] - size * size - 1.5 * density
    likelihood = np.exp(density - density.max(-1, keepdims=True))
    of_type = likelihood @ among.members
    confidence = of_type.max(-1) / likelihood.sum(-1)
    said = tracks["confirmed"] & (tracks["hits"] >= LEAST_HITS) & (confidence >= LEAST_CONFIDENCE) & ~gone
    return np.where(said, of_type.argmax(-1) + FIRST, 0).astype(np.int8), np.where(said, confidence, 0.0)


@cache
def _hypotheses(smoothing: float) -> _Hypotheses:
    looks = min(LEAST_HITS, (2 - smoothing) / smoothing)
    fluctuation = 1 / (looks - 0.5)
    rows = []
    for kind, one in (*CLASSES.items(), (None, STRANGE)):
        spread = sqrt((one.rcs_spread_db / DECIBELS) ** 2 + fluctuation)
        slope = sqrt(0.5) / spread
        for sigma_mps, share in one.motion.items():
            known = log(share * (1.0 if kind else STRANGE_SHARE) / spread)
            prior = (known, known + log(1 - one.answers), known + log(one.answers))
            rows.append((slope, slope * one.rcs_dbsm / DECIBELS, 3 * sigma_mps**2, prior, [kind is k for k in CLASSES]))
    slope, offset, motion, prior, members = map(np.array, zip(*rows, strict=True))
    return _Hypotheses(slope, offset, motion, prior.T.copy(), members.astype(np.float64))
