"""False alarms: noise above the threshold."""

import numpy as np

from qiki.geometry import unit_vectors
from qiki.radar.echoes import threshold
from qiki.radar.parameters import RadarParameters
from qiki.radar.plots import Plots

NONE = Plots(np.empty(0), np.empty((0, 3)), np.empty(0), np.empty(0), np.empty(0, object))


def draw(parameters: RadarParameters, rng: np.random.Generator) -> Plots:
    """Draw the false alarms of one look: a Poisson number, uniform over the resolution cells.

    The cells are many and the probability in each is small: the Poisson clutter model (Bar-Shalom, Willett and Tian,
    Tracking and Data Fusion, ch. 2). Exponential power has no memory, so the power above the threshold is Exp(1).
    """
    count = int(rng.poisson(parameters.false_alarms_per_look))
    if count == 0:
        return NONE
    bearing_rad = rng.uniform(0.0, 2 * np.pi, count)
    elevation_rad = np.arcsin(rng.uniform(-1.0, 1.0, count))
    top_speed_mps = parameters.unambiguous_speed_mps
    return Plots(
        rng.uniform(parameters.min_range_m, parameters.max_range_m, count),
        unit_vectors(bearing_rad, elevation_rad),
        rng.uniform(-top_speed_mps, top_speed_mps, count),
        threshold(parameters.false_alarm_probability) + rng.standard_exponential(count) - 1.0,
        np.full(count, None),
    )
