"""Score: the log-likelihood ratio by which a track is confirmed and deleted (Blackman & Popoli 1999, section 6.2)."""

from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.gate import Pairs
from qiki.tracking.parameters import TrackerParameters, log_odds
from qiki.tracking.scan import Scan
from qiki.tracking.tracks import TrackTable

STRONGEST = 1e9
"""Largest SNR that is expected of an echo."""
LEAST_DETECTION, MOST_DETECTION = 0.15, 0.98
"""A track that is missed for ever has to end, and a miss must not be impossible."""
SURE = 0.999
"""Probability from which on a contact counts as visible."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Mean numbers a scan."""

    false_alarms: float
    new_contacts: float

    @classmethod
    def of(cls, parameters: TrackerParameters) -> Self:
        """Return those that are expected at first."""
        return cls(parameters.expected_false_alarms, parameters.expected_new_contacts)

    @property
    def birth_llr(self) -> float:
        """Score of a first plot: new contacts against false alarms (Blackman & Popoli 1999, section 6.2)."""
        return log(self.new_contacts / self.false_alarms)

    def learned(self, plots: int, births: int, tracks: TrackTable, parameters: TrackerParameters) -> "Rates":
        """Return the rates after a scan of so many plots, by which so many tracks were confirmed.

        It is called before initiation. Without tracks no plot can be distinguished from a false alarm, so nothing
        changes.
        """
        if not len(tracks):
            return self
        unexplained = plots - int(np.count_nonzero(tracks["hit"] & tracks["confirmed"]))
        false_alarms = self.false_alarms + parameters.clutter_memory * (unexplained - self.false_alarms)
        new_contacts = self.new_contacts + parameters.new_contact_memory * (births - self.new_contacts)
        return Rates(
            max(false_alarms, parameters.expected_false_alarms), max(new_contacts, parameters.fewest_new_contacts)
        )


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
    pairs: Pairs,
    hidden: Index,
    visible: Array,
    t_us: int,
    rates: Rates,
    parameters: TrackerParameters,
) -> None:
    """Credit the tracks that have plots, and debit the others with a miss, in place.

    The `hidden` tracks, (h,), share a plot and are debited with a part of a miss; a contact in the blind range, of
    `visible`, (n,), below 1, with as small a part.
    """
    rows = pairs.track
    hit = np.zeros(len(tracks), dtype=np.bool_)
    hit[rows] = True
    says = visible.copy()
    says[hidden] *= parameters.unresolved_debit
    detected, unseen = tracks["detection_probability"], tracks["unseen"]
    # A beta distribution, as after so many looks: with each miss in a row the next one is less of a surprise. Misses of
    # hidden contacts count too: meanwhile their tracks may have left them.
    looks = np.minimum(parameters.first_looks + tracks["hits"], parameters.most_looks)
    expected = np.maximum(detected * looks / (looks + tracks["misses"]), LEAST_DETECTION)
    gain = np.log1p(-expected * visible * parameters.gate_probability)
    gain[hidden] *= parameters.unresolved_debit
    gain[rows] = np.log(expected[rows]) + pairs.log_likelihood - parameters.log_clutter_density(rates.false_alarms)
    tracks["llr"] = np.minimum(tracks["llr"] + gain, log_odds(parameters.max_existence))
    # Misses count at the next hit only: a lost contact must not look like a faint one.
    mean = ((detected * looks + 1) / (looks + unseen + 1))[rows]
    detected[rows] = np.minimum(np.maximum(mean, LEAST_DETECTION), MOST_DETECTION)
    tracks["hit"] = hit
    tracks["hits"] += hit
    tracks["misses"] = np.where(hit, 0, tracks["misses"] + 1)
    tracks["unseen"] = np.where(hit, 0.0, unseen + says)
    tracks["last_hit_us"][rows] = t_us
    tracks["confirmed"] |= hit & (tracks["llr"] >= log_odds(parameters.confirm_existence))


def fade(tracks: TrackTable, visible: Array, dt_s: float, parameters: TrackerParameters) -> None:
    """Let missed contacts in the blind range, of `visible`, (n,), below 1, be less certain with time, in place."""
    blind = np.flatnonzero((visible < SURE) & ~tracks["hit"])
    if len(blind):
        stays = np.exp(-(1 - visible[blind]) * dt_s / parameters.blind_lifetime_s)
        there = existence(tracks["llr"][blind]) * stays
        tracks["llr"][blind] = np.log(there / (1 - there))


def smooth_strength(tracks: TrackTable, pairs: Pairs, scan: Scan, parameters: TrackerParameters) -> None:
    """Average SNR and cross-section of the fluctuating echoes exponentially, in place: powers, not decibels."""
    for name, decibels in (("snr", scan.snr_db), ("rcs_m2", scan.rcs_dbsm)):
        smoothed = tracks[name]
        smoothed[pairs.track] += parameters.smoothing * (10 ** (decibels[pairs.plot] / 10) - smoothed[pairs.track])


def dead(tracks: TrackTable, parameters: TrackerParameters) -> Mask:
    """Return the tracks to be deleted: (n,)."""
    gone: Mask = tracks["llr"] < log_odds(parameters.delete_existence)
    return gone
