"""Errors: their size by hand, their spread in many looks."""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.geometry import unit_vectors
from qiki.radar import Radar, RadarParameters
from qiki.radar.accuracy import Accuracy
from qiki.radar.plots import Plots
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario

PARAMETERS = RadarParameters(swerling=0, false_alarm_probability=1e-16)
RING, STEP_DEG = 30, 12


def test_sigmas_by_hand():
    # SNR 20 dB: √(2·100) = 14.142. Range 14.990·0.5513/14.142 = 0.5844 m, with the floor of 1 m: 1.1582 m.
    # Angle 4°/(1.6·14.142) = 0.17678°, with 0.05°: 0.18371°. Doppler 1.5625·0.5513/14.142 = 0.0609, with 0.05: 0.0788.
    sigma = Accuracy(RadarParameters()).sigmas(np.array([100.0]))
    assert sigma.range_m[0] == pytest.approx(1.1582, abs=1e-4)
    assert math.degrees(sigma.angle_rad[0]) == pytest.approx(0.18371, abs=1e-5)
    assert sigma.speed_mps[0] == pytest.approx(0.07881, abs=1e-5)


@given(st.floats(1, 1e10))
def test_errors_shrink_with_snr_down_to_the_floor(snr: float):
    weak, strong = (Accuracy(RadarParameters()).sigmas(np.array([value])) for value in (snr, 4 * snr))
    for name, floor in (("range_m", 1.0), ("angle_rad", math.radians(0.05)), ("speed_mps", 0.05)):
        before, after = getattr(weak, name)[0], getattr(strong, name)[0]
        assert floor <= after <= before
        assert before**2 - floor**2 == pytest.approx(4 * (after**2 - floor**2), abs=1e-6 * floor**2)


def errors(rcs_m2: float, elev_deg: float, count: int = 100) -> dict[str, np.ndarray]:
    """Many looks at contacts all round, 6 km away, each 12° from the next, receding at 20 m/s: SNR, and what is off."""
    bearing_rad = np.radians(np.arange(RING) * STEP_DEG)
    contacts = [
        {
            "id": f"c{i}",
            "object_type": "SHIP",
            "rcs_m2": rcs_m2,
            "motion": {
                "kind": "constant_velocity",
                "position_m": (6000 * s).tolist(),
                "velocity_mps": (20 * s).tolist(),
            },
        }
        for i, s in enumerate(unit_vectors(bearing_rad, np.full(RING, math.radians(elev_deg))))
    ]
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts})
    there = Contacts(scenario, UUID(int=1), np.random.default_rng(1))
    radar = Radar(PARAMETERS, np.random.default_rng(3))
    seen = [radar.measure(there, (0, 0, 0), (0, 0, 0)) for _ in range(count)]
    names = ("range_m", "bearing_deg", "elev_deg", "vr_mps", "snr_db")
    range_m, bearing_deg, up_deg, vr_mps, snr_db = (
        np.concatenate([getattr(one, name) for one in seen]) for name in names
    )
    turned_deg = (bearing_deg + STEP_DEG / 2) % STEP_DEG - STEP_DEG / 2
    return {
        "snr": 10 ** (snr_db / 10),
        "range": range_m - 6000,
        "across": np.radians(turned_deg) * math.cos(math.radians(elev_deg)),
        "up": np.radians(up_deg - elev_deg),
        "speed": vr_mps - 20,
    }


@pytest.mark.parametrize("elev_deg", [0.0, 60.0])
@pytest.mark.parametrize("rcs_m2", [0.2, 1e4], ids=["weak", "floor"])
def test_spread_is_what_the_published_snr_says(interval: type[Any], rcs_m2: float, elev_deg: float):
    off = errors(rcs_m2, elev_deg)
    sigma = Accuracy(PARAMETERS).sigmas(off.pop("snr"))
    spread = {"range": sigma.range_m, "across": sigma.angle_rad, "up": sigma.angle_rad, "speed": sigma.speed_mps}
    for name, error in off.items():
        unit = error / spread[name]
        n = len(unit)
        assert n > 2500, name
        assert abs(unit.mean()) < 4 / math.sqrt(n) + 0.02, name  # 0.02: a turned line of sight is not quite an angle
        low, high = interval.chi_square(n)
        assert low < (unit**2).sum() < high, name


def test_errors_are_independent():
    off = errors(0.2, 0.0)
    del off["snr"]
    correlation = np.corrcoef(list(off.values()))
    assert np.abs(correlation - np.eye(4)).max() < 4.5 / math.sqrt(len(off["range"]))


@given(st.floats(0, 2 * math.pi), st.floats(-math.pi / 2, math.pi / 2), st.floats(30, 1e9), st.integers(0, 2**32 - 1))
def test_error_of_direction_is_the_same_everywhere_even_overhead(
    bearing_rad: float, elevation_rad: float, snr: float, seed: int
):
    sight = unit_vectors(np.full(50, bearing_rad), np.full(50, elevation_rad))
    plots = Plots(np.full(50, 1e3), sight, np.zeros(50), np.full(50, snr), np.full(50, None))
    measured = Accuracy(PARAMETERS).with_errors(plots, np.random.default_rng(seed))
    off = np.arctan(np.linalg.norm(np.cross(sight, measured.sight), axis=1))
    sigma = Accuracy(PARAMETERS).sigmas(plots.snr).angle_rad[0]
    assert off.max() < 6.5 * sigma
    # The mean square of 50 pairs of unit normals is 2 ± 0.29.
    assert np.mean((off / sigma) ** 2) == pytest.approx(2, abs=6 * 2 / math.sqrt(50))


def test_bearing_never_reaches_360():
    motion = {"kind": "constant_velocity", "position_m": [-1e-9, 100, 0]}
    contact = {"id": "c", "object_type": "STATION", "rcs_m2": 1.0, "motion": motion}
    exact = RadarParameters(angle_floor_deg=0, false_alarm_probability=1e-16)
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": [contact], "radar": exact})
    contacts = Contacts(scenario, UUID(int=1), np.random.default_rng(1))
    radar = Radar(exact, np.random.default_rng(1))
    bearings = [radar.measure(contacts, (0, 0, 0), (0, 0, 0)).to_models()[0].bearing_deg for _ in range(200)]
    assert min(bearings) < 1
    assert max(bearings) > 359
