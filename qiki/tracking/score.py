"""Score: the log-likelihood ratio of each track, and what follows from it (Blackman & Popoli 1999, section 6.2)."""

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.parameters import TrackerParameters, log_odds
from qiki.tracking.tracks import TrackTable

STRONGEST = 1e9
"""SNR beyond which no echo is expected."""


def existence(llr: Array) -> Array:
    """Probability that a track of this score is a real contact."""
    probability: Array = 1 / (1 + np.exp(-llr))
    return probability


def strength_llr(snr_db: Array, parameters: TrackerParameters) -> Array:
    """What plots' strengths say for contacts against false alarms: (k,), never less than nothing.

    A false alarm exceeds the threshold of a square-law detector by Exp(1) (Richards 2014, chapter 6); a contact of
    unknown size and range has any SNR above it, evenly in decibels (amplitude as a feature: Lerro & Bar-Shalom 1993).
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
    """Credit the tracks of `rows` with their plots and debit the others with a miss, but the hidden ones, in place."""
    hit = np.zeros(len(tracks), dtype=np.bool_)
    hit[rows] = True
    detected: Array = tracks["detection_probability"]
    gain = np.log1p(-detected * parameters.gate_probability)
    gain[hidden] *= parameters.unresolved_debit
    gain[rows] = np.log(detected[rows]) + log_likelihood - parameters.log_clutter_density(false_alarms)
    tracks["llr"] = np.minimum(tracks["llr"] + gain, log_odds(parameters.max_existence))
    _learn_detection_probability(tracks, rows, parameters)
    tracks["hit"] = hit
    tracks["hits"] += hit
    tracks["misses"] = np.where(hit, 0, tracks["misses"] + 1)
    tracks["last_hit_us"][rows] = t_us
    tracks["confirmed"] |= tracks["llr"] >= log_odds(parameters.confirm_existence)


def _learn_detection_probability(tracks: TrackTable, rows: Index, parameters: TrackerParameters) -> None:
    """Misses count once the contact is seen again: one that is gone must not look like one that is faint."""
    kept = 1 - parameters.detection_memory
    before = tracks["detection_probability"][rows]
    after = before * kept ** (tracks["misses"][rows] + 1) + parameters.detection_memory
    tracks["detection_probability"][rows] = np.minimum(np.maximum(after, 0.2), 0.98)


def dead(tracks: TrackTable, parameters: TrackerParameters) -> Mask:
    """Tracks that are no longer believed in: (n,)."""
    gone: Mask = tracks["llr"] < log_odds(parameters.delete_existence)
    return gone


def learn_false_alarms(false_alarms: float, plots: int, tracks: TrackTable, parameters: TrackerParameters) -> float:
    """Mean number of false alarms a scan, after a scan of so many plots.

    To be learnt before new tracks begin; a scan before which there were none tells nothing, all are strangers then.
    """
    if not len(tracks):
        return false_alarms
    strangers = plots - int(np.count_nonzero(tracks["hit"] & tracks["confirmed"]))
    mean = false_alarms + parameters.clutter_memory * (strangers - false_alarms)
    return max(mean, parameters.expected_false_alarms)
