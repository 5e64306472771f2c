"""Initiator: unassigned plots start tentative tracks."""

import numpy as np

from qiki.arrays import Index, Mask
from qiki.tracking.measurement import Measurements, position_noise
from qiki.tracking.parameters import TrackerParameters, log_odds
from qiki.tracking.predictor import switching
from qiki.tracking.scan import Scan
from qiki.tracking.score import Rates, strength_llr
from qiki.tracking.tracks import ACCELERATION, GENTLE, HARD, NOBODY, POSITION, TRACK, VELOCITY, TrackTable

LONG_AGO_S = 1e6


def unassigned(scan: Scan, taken: Index, room: int) -> Index:
    """Return the rows of the plots that start tracks, in their order: at most `room`, the strongest."""
    free = np.ones(scan.size, dtype=np.bool_)
    free[taken] = False
    rows = np.flatnonzero(free)
    if len(rows) > room:
        rows = np.sort(rows[np.argsort(-scan.snr_db[rows], kind="stable")[:room]])
    return rows


def initiate(
    scan: Scan,
    plots: Measurements,
    rows: Index,
    surprising: Mask,
    first_counter: int,
    rates: Rates,
    parameters: TrackerParameters,
) -> TrackTable:
    """Return new tracks of the plots of `rows`, (k,).

    The prior of the world velocity is N(0, sigma_speed² I). The state has the mean and the covariance conditional on
    the range rate, which measures the velocity along the line of sight. No missed track explains the `surprising`
    plots, (k,): where strong, they are evidence of a contact at once.
    """
    chosen = plots.take(rows)
    tracks = np.zeros(len(rows), dtype=TRACK)
    sight, unknown = chosen.sight, parameters.sigma_speed_mps**2
    trust = unknown / (unknown + chosen.sigma_doppler_mps**2)
    closing = chosen.doppler_mps + sight @ scan.own_velocity
    mean, covariance = tracks["mode_mean"], tracks["mode_covariance"]
    mean[:, :, POSITION] = (scan.own_position + chosen.range_m[:, None] * sight)[:, None]
    mean[:, :, VELOCITY] = ((trust * closing)[:, None] * sight)[:, None]
    covariance[:, :, POSITION, POSITION] = position_noise(chosen, sight, chosen.range_m)[:, None]
    along = (unknown * trust)[:, None, None] * sight[:, :, None] * sight[:, None, :]
    covariance[:, :, VELOCITY, VELOCITY] = (unknown * np.eye(3) - along)[:, None]
    for mode, sigma_mps2 in ((GENTLE, parameters.gentle_acceleration_mps2), (HARD, parameters.sigma_acceleration_mps2)):
        covariance[:, mode, ACCELERATION, ACCELERATION] = sigma_mps2**2 * np.eye(3)
    tracks["mode_probability"] = switching(parameters, LONG_AGO_S)[0]
    tracks["counter"] = first_counter + np.arange(len(rows))
    tracks["born_us"] = tracks["last_hit_us"] = scan.t_us
    tracks["hit"] = True
    tracks["hits"] = 1
    evidence = rates.birth_llr + strength_llr(scan.snr_db[rows], parameters) * surprising
    tracks["llr"] = np.minimum(evidence, log_odds(parameters.max_existence))
    tracks["detection_probability"] = parameters.detection_probability
    tracks["snr"] = 10 ** (scan.snr_db[rows] / 10)
    tracks["rcs_m2"] = 10 ** (scan.rcs_dbsm[rows] / 10)
    tracks["identity"] = tracks["reply"] = NOBODY
    return tracks
