"""The laws of detection, against tables, approximations of the literature, scipy and integrals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from qiki.radar import RadarParameters
from qiki.radar.detection import detection_probability, detection_range_m, marcum_q, required_snr
from qiki.radar.equation import from_db, reach_m2, snr
from qiki.radar.parameters import Swerling

LEVELS = [-math.log(p_fa) for p_fa in (0.1, 1e-3, 1e-6, 1e-10, 1e-16)]


def q_of(a: float, b: float) -> float:
    """Marcum's Q₁(a, b)."""
    return float(marcum_q(np.array([a * a / 2]), b * b / 2)[0])


def to_db(ratio: float) -> float:
    return 10 * math.log10(ratio)


@pytest.mark.parametrize(("a", "scaled_bessel"), [(1.0, 0.4657596077), (2.0, 0.2070019212), (10**0.5, 0.1278333372)])
def test_marcum_q_of_equal_arguments_by_hand(a: float, scaled_bessel: float):
    # Q₁(a, a) = (1 + exp(-a²) I₀(a²)) / 2; exp(-x) I₀(x) at 1, 4 and 10 from Abramowitz and Stegun, table 9.8.
    assert q_of(a, a) == pytest.approx((1 + scaled_bessel) / 2, abs=1e-10)


def test_marcum_q_without_a_signal_is_the_false_alarm_probability():
    for level in (*LEVELS, 690.0):
        assert marcum_q(np.zeros(1), level)[0] == pytest.approx(math.exp(-level), rel=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_marcum_q_is_scipys_non_central_chi_square(level: float):
    snr = np.concatenate(([0.0], np.geomspace(1e-6, 2e3, 400)))
    np.testing.assert_allclose(marcum_q(snr, level), 1 - special.chndtr(2 * level, 2, 2 * snr), atol=2e-12)
    np.testing.assert_allclose(marcum_q(np.array([1e6, 1e300]), level), 1, atol=2e-12)


@pytest.mark.parametrize("level", LEVELS[2:])
@pytest.mark.parametrize("snr", [0.01, 1.0, 5.0])
def test_small_probabilities_are_exact_too(snr: float, level: float):
    """Against the integral of Rice's density, which keeps its relative error far out in the tail."""
    amplitude, least = math.sqrt(2 * snr), math.sqrt(2 * level)
    x = np.linspace(least, least + 12, 200_001)
    density = x * special.ive(0, amplitude * x) * np.exp(-((x - amplitude) ** 2) / 2)
    assert marcum_q(np.array([snr]), level)[0] == pytest.approx(np.trapezoid(density, x), rel=1e-8)


@given(st.floats(0.01, 30), st.floats(0.01, 30))
def test_marcum_q_is_symmetric(a: float, b: float):
    both = 1 + math.exp(-((a - b) ** 2) / 2) * special.ive(0, a * b)
    assert q_of(a, b) + q_of(b, a) == pytest.approx(both, abs=1e-11)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 13.0, 20.0, 30.0])
@pytest.mark.parametrize(
    ("model", "density"),
    [(Swerling.I, lambda x: np.exp(-x)), (Swerling.III, lambda x: 4 * x * np.exp(-2 * x))],
    ids=["I", "III"],
)
def test_fluctuating_echoes_are_steady_ones_of_a_drawn_cross_section(model: Swerling, density, snr_db: float):
    # x = y², so that the steep part near the threshold is resolved.
    y = np.linspace(0, 6.5, 4001)
    level, snr = -math.log(1e-6), from_db(snr_db)
    mean = np.trapezoid(marcum_q(snr * y**2, level) * density(y**2) * 2 * y, y)
    assert detection_probability(np.array([snr]), level, model)[0] == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize(
    ("model", "snr_db", "within_db"),
    # 13.2, 21.1 and 17.1 dB: Skolnik, Radar Handbook, ch. 2; 13.1835 dB: documentation of the package sdr (min_snr).
    [
        (Swerling.STEADY, 13.1835, 1e-4),
        (Swerling.STEADY, 13.2, 0.05),
        (Swerling.I, 21.1, 0.1),
        (Swerling.III, 17.1, 0.2),
    ],
)
def test_required_snr_is_the_published_one(model: Swerling, snr_db: float, within_db: float):
    # For P_d 0.9 at P_fa 1e-6.
    assert to_db(required_snr(0.9, -math.log(1e-6), model)) == pytest.approx(snr_db, abs=within_db)


@pytest.mark.parametrize(("p_d", "p_fa"), [(0.5, 1e-10), (0.9, 1e-6), (0.333, 1e-10), (0.99, 0.1)])
def test_required_snr_of_swerling_1_by_hand(p_d: float, p_fa: float):
    by_hand = math.log(p_fa) / math.log(p_d) - 1
    assert required_snr(p_d, -math.log(p_fa), Swerling.I) == pytest.approx(by_hand, rel=1e-9)


def albersheim_db(p_d: float, p_fa: float) -> float:
    """For a steady echo (Richards, 2nd ed., ch. 6): within 0.2 dB; of one sample only where P_d is not small."""
    a, b = math.log(0.62 / p_fa), math.log(p_d / (1 - p_d))
    return (6.2 + 4.54 / math.sqrt(1.44)) * math.log10(a + 0.12 * a * b + 1.7 * b)


def shnidman_db(p_d: float, p_fa: float, model: Swerling) -> float:
    """One sample (Richards, 2nd ed., ch. 6): within 0.5 dB, but for Swerling I at P_d above 0.9."""
    k = {Swerling.STEADY: math.inf, Swerling.I: 1, Swerling.III: 2}[model]
    spread = [math.sqrt(-0.8 * math.log(4 * p * (1 - p))) for p in (p_fa, p_d)]
    eta = spread[0] + math.copysign(spread[1], p_d - 0.5)
    x = eta * (eta + 2 * math.sqrt(1 / 2 - 1 / 4))
    c = (((17.7006 * p_d - 18.4496) * p_d + 14.5339) * p_d - 3.525) / k
    if p_d > 0.872:
        c += (math.exp(27.31 * p_d - 25.14) + (p_d - 0.8) * (0.7 * math.log(1e-5 / p_fa) + (2 - 20) / 80)) / k
    return c + to_db(x)


@pytest.mark.parametrize("p_fa", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("p_d", [0.5, 0.7, 0.9])
def test_steady_echoes_obey_albersheims_equation(p_d: float, p_fa: float):
    exact = to_db(required_snr(p_d, -math.log(p_fa), Swerling.STEADY))
    assert exact == pytest.approx(albersheim_db(p_d, p_fa), abs=0.2)


@pytest.mark.parametrize("model", list(Swerling))
@pytest.mark.parametrize("p_fa", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("p_d", [0.3, 0.5, 0.8, 0.9])
def test_all_echoes_obey_shnidmans_equation(p_d: float, p_fa: float, model: Swerling):
    exact = to_db(required_snr(p_d, -math.log(p_fa), model))
    assert exact == pytest.approx(shnidman_db(p_d, p_fa, model), abs=0.5)


@pytest.mark.parametrize(
    ("rcs_m2", "p_d", "range_m"),
    [
        # ln 1e-10 / ln 0.5 - 1 = 32.22 = 15.08 dB; 1 m² gives 12.92 dB at 12 km: 12 km · 10^((12.924 - 15.081) / 40)
        (1.0, 0.5, 10_599),
        # ln 1e-10 / ln 0.9 - 1 = 217.5 = 23.38 dB
        (1.0, 0.9, 6_575),
        # sixteen times the cross-section, twice the range
        (1 / 16, 0.5, 5_299),
        (200.0, 0.9, 16_000),
        (1e-12, 0.5, 0),
    ],
)
def test_detection_range_by_hand(rcs_m2: float, p_d: float, range_m: float):
    assert detection_range_m(RadarParameters(), rcs_m2, p_d) == pytest.approx(range_m, abs=1.5)


@pytest.mark.parametrize(
    ("rcs_m2", "range_m", "stated_db", "stated_probability"),
    [(1, 12_000, 12.9, 0.33), (1, 8_000, 20.0, 0.79), (1, 5_000, 28.1, 0.97), (200, 12_000, 35.9, 0.99)],
)
def test_the_guides_examples(rcs_m2: float, range_m: float, stated_db: float, stated_probability: float):
    parameters = RadarParameters()
    ratio = snr(reach_m2(parameters), np.array([rcs_m2]), np.array([range_m]))
    assert to_db(ratio[0]) == pytest.approx(stated_db, abs=0.05)
    level = -math.log(parameters.false_alarm_probability)
    # P_fa^(1/(1 + SNR)), which at 12.9 dB is 10^(-10/20.5)
    assert 10 ** (-10 / (1 + ratio[0])) == pytest.approx(stated_probability, abs=0.006)
    assert detection_probability(ratio, level, Swerling.I)[0] == pytest.approx(stated_probability, abs=0.006)


def test_a_steady_echo_is_surely_seen_farther_and_luckily_less_far():
    far, near = (
        [detection_range_m(RadarParameters(swerling=case), 1.0, p_d) for case in (0, 3, 1)] for p_d in (0.9, 0.1)
    )
    assert far == sorted(far, reverse=True)
    assert near == sorted(near)
