"""The radar equation by hand, and what follows from the parameters."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qiki.radar import RadarParameters
from qiki.radar.equation import rcs_m2, reach_m2, snr, to_db

# Decibels of every factor for 1 m² at 12 km, added up by hand.
BY_HAND_DB = {
    "peak power 20 kW": 43.010,
    "transmit gain": 3.0,
    "receive gain": 32.0,
    "wavelength² (0.1 m)²": -20.0,
    "256 pulses": 24.082,
    "(4π)³": -32.976,
    "(12 km)⁴": -163.167,
    "k · 290 K": 203.975,
    "10 MHz": -70.0,
    "noise figure": -3.0,
    "losses": -4.0,
}


def snr_db(parameters: RadarParameters, rcs: float, range_m: float) -> float:
    return float(to_db(snr(reach_m2(parameters), np.array(rcs), np.array(range_m))))


def test_one_square_metre_at_12_km():
    assert sum(BY_HAND_DB.values()) == pytest.approx(12.924, abs=1e-3)
    assert snr_db(RadarParameters(), 1.0, 12_000.0) == pytest.approx(12.924, abs=1e-3)


@given(st.floats(20, 16_000), st.floats(1e-3, 1e5))
def test_snr_falls_with_the_fourth_power_and_rises_with_cross_section(range_m: float, rcs: float):
    parameters = RadarParameters()
    here = snr_db(parameters, rcs, range_m)
    assert here - snr_db(parameters, rcs, 2 * range_m) == pytest.approx(40 * math.log10(2))
    assert snr_db(parameters, 10 * rcs, range_m) - here == pytest.approx(10)


@given(st.floats(20, 16_000), st.floats(1e-3, 1e5))
def test_cross_section_comes_back_from_snr(range_m: float, rcs: float):
    reach = reach_m2(RadarParameters())
    there = snr(reach, np.array([rcs]), np.array([range_m]))
    assert rcs_m2(reach, there, np.array([range_m]))[0] == pytest.approx(rcs)


def test_resolutions_by_hand():
    parameters = RadarParameters()
    assert parameters.range_resolution_m == pytest.approx(14.990, abs=1e-3)  # c / 20 MHz
    assert parameters.unambiguous_range_m == pytest.approx(18_737, abs=1)  # c / 16 kHz
    assert parameters.unambiguous_speed_mps == 200.0  # 0.1 m · 8 kHz / 4
    assert parameters.dwell_s == 0.032  # 256 / 8 kHz
    assert parameters.speed_resolution_mps == 1.5625  # 0.1 m / 64 ms


def test_cells_by_hand():
    # 1066.4 range bins · 256 Doppler bins · 2578 beams of 4° by 4° on a sphere of 41,253 square degrees
    assert RadarParameters().cells == pytest.approx(1066.4 * 256 * 41_253 / 16, rel=1e-4)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"max_range_m": 20_000}, "max_range_m"),
        ({"max_range_m": 10}, "max_range_m"),
        ({"false_alarm_probability": 0}, "false_alarm_probability"),
        ({"false_alarm_probability": 1e-3}, "false_alarm_probability"),
        ({"pulses": True}, "pulses"),
        ({"swerling": 2}, "swerling"),
        ({"swerling": True}, "swerling"),
        ({"peak_power_w": math.inf}, "peak_power_w"),
        ({"power": 3}, "power"),
    ],
)
def test_refuses_what_makes_no_radar(wrong: dict[str, object], field: str):
    with pytest.raises(ValidationError) as caught:
        RadarParameters.model_validate(wrong)
    assert [error["loc"] for error in caught.value.errors()] == [(field,)]
