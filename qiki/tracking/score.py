"""Score: the log-likelihood ratio by which a track is confirmed and deleted (Blackman & Popoli 1999, section 6.2)."""

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.gate import Pairs
from qiki.tracking.parameters import TrackerParameters, log_odds
from qiki.tracking.scan import Scan
from qiki.tracking.tracks import TrackTable

STRONGEST = 1e9
"""Largest SNR that is expected of an echo."""


def existence(llr: Array) -> Array:
    """Return the probability that a track of this score is a real contact: (n,)."""
    probability: Array = 1 / (1 + np.exp(-llr))
    return probability


def strength_llr(snr_db: Array, parameters: TrackerParameters) -> Array:
    """Return the log-likelihood ratio of plots' strengths, contacts against false alarms: (k,), at least 0.

    A false alarm exceeds the threshold of a square-law detector by Exp(1) (Richards 2014, chapter 6). The SNR of a
    contact of unknown size and range is uniform in decibels above it (amplitude as a feature: Lerro & Bar-Shalom 1993).
    """
    least = -np.log(parameters.false_alarm_probability) - 1
    snr = 10 ** (snr_db / 10)
    density = -np.log(np.maximum(snr, least)) - np.log(np.log(STRONGEST / least))
    llr: Array = np.maximum(density + np.maximum(snr - least, 0), 0)
    return llr


def score(
    tracks: TrackTable,
    rows: Index,
    hidden: Index,
    log_likelihood: Array,
    t_us: int,
    false_alarms: float,
    parameters: TrackerParameters,
) -> None:
    """Credit the tracks `rows`, (k,), with their plots and debit the others with a miss, in place.

    The `hidden` tracks, (h,), share a plot and are debited with a part of a miss. `log_likelihood`, (k,), is that of
    the plots, `false_alarms` the mean number a scan.
    """
    hit = np.zeros(len(tracks), dtype=np.bool_)
    hit[rows] = True
    detected: Array = tracks["detection_probability"]
    gain = np.log1p(-detected * parameters.gate_probability)
    gain[hidden] *= parameters.unresolved_debit
    gain[rows] = np.log(detected[rows]) + log_likelihood - parameters.log_clutter_density(false_alarms)
    tracks["llr"] = np.minimum(tracks["llr"] + gain, log_odds(parameters.max_existence))
    # Misses count at the next hit only: a lost contact must not look like a faint one.
    kept = (1 - parameters.detection_memory) ** (tracks["misses"][rows] + 1)
    detected[rows] = np.minimum(np.maximum(detected[rows] * kept + parameters.detection_memory, 0.2), 0.98)
    tracks["hit"] = hit
    tracks["hits"] += hit
    tracks["misses"] = np.where(hit, 0, tracks["misses"] + 1)
    tracks["last_hit_us"][rows] = t_us
    tracks["confirmed"] |= tracks["llr"] >= log_odds(parameters.confirm_existence)


def smooth_strength(tracks: TrackTable, pairs: Pairs, scan: Scan, parameters: TrackerParameters) -> None:
    """Average SNR and cross-section of the fluctuating echoes exponentially, in place: powers, not decibels."""
    for name, decibels in (("snr", scan.snr_db), ("rcs_m2", scan.rcs_dbsm)):
        smoothed = tracks[name]
        smoothed[pairs.track] += parameters.smoothing * (10 ** (decibels[pairs.plot] / 10) - smoothed[pairs.track])


def dead(tracks: TrackTable, parameters: TrackerParameters) -> Mask:
    """Return the tracks to be deleted: (n,)."""
    gone: Mask = tracks["llr"] < log_odds(parameters.delete_existence)
    return gone


def learn_false_alarms(false_alarms: float, plots: int, tracks: TrackTable, parameters: TrackerParameters) -> float:
    """Return the new mean number of false alarms a scan, after one of so many plots; call it before initiation.

    Without tracks no plot can be distinguished from a false alarm, so nothing changes.
    """
    if not len(tracks):
        return false_alarms
    unexplained = plots - int(np.count_nonzero(tracks["hit"] & tracks["confirmed"]))
    mean = false_alarms + parameters.clutter_memory * (unexplained - false_alarms)
    return max(mean, parameters.expected_false_alarms)
