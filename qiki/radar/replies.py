"""Replies of transponders: a one-way link with losses of its own.

The SNR of a reply is Friis' (A Note on a Simple Transmission Formula, Proc. IRE 34, 1946) in the receiver's noise:

    SNR = P_x G_x G_r λ² / ((4π)² R² k T₀ F B_x L_x)

A transponder sends at constant power. The reply is a steady signal, and is decoded if its power with the noise is above
the decoder's threshold, with the probability of Marcum's Q (see `detection`), unless it is lost for another reason
(Stevens, Secondary Surveillance Radar: garbling, a transponder that is busy or shaded).
"""

import math
from dataclasses import replace

import numpy as np

from qiki.arrays import Array
from qiki.radar import equation
from qiki.radar.echoes import noise
from qiki.radar.parameters import RadarParameters, ReplyLink
from qiki.radar.plots import Plots


def snr(parameters: RadarParameters, link: ReplyLink, range_m: Array) -> Array:
    """Return the SNR of replies from these ranges: (n,)."""
    radiated = link.power_w * equation.from_db(link.gain_db + parameters.receive_gain_db - link.losses_db)
    spread = (parameters.wavelength_m / (4 * math.pi * range_m)) ** 2
    return radiated * spread / equation.noise_w(link.bandwidth_hz, parameters.noise_figure_db)


def received(parameters: RadarParameters, plots: Plots, rng: np.random.Generator) -> Plots:
    """Return the plots with the decoded replies only; without a link all are decoded and nothing is drawn."""
    link = parameters.replies
    if link is None:
        return plots
    power = np.abs(np.sqrt(snr(parameters, link, plots.range_m)) + noise((len(plots),), rng)) ** 2
    lost = (power <= equation.from_db(link.threshold_db)) | (rng.random(len(plots)) < link.loss_probability)
    claims = plots.claims.copy()
    claims[lost] = None
    return replace(plots, claims=claims)
