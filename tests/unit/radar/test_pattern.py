"""The transmit pattern: its shape by hand, where it points, and what it does to range and cross-section."""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pydantic import ValidationError

from qiki.botspec.planes import BotParameters
from qiki.geometry import unit_vectors
from qiki.radar import Detections, Radar, RadarParameters
from qiki.radar.detection import detection_probability, threshold
from qiki.radar.equation import illumination, reach_m2
from qiki.radar.parameters import Swerling, TransmitPattern
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario
from qiki.world.world import SimWorld

LOBE = TransmitPattern(width_deg=60, side_lobe_db=-25)
RING = 36


def lit(pattern: TransmitPattern | None, bearing_deg: float, elev_deg: float = 0.0, heading_deg: float = 0.0) -> float:
    sight = 3.0 * unit_vectors(np.radians([bearing_deg]), np.radians([elev_deg]))
    return float(np.ravel(illumination(pattern, sight, heading_deg))[0])


def world(scenario: dict[str, Any]) -> Scenario:
    return Scenario.model_validate({"name": "t", "description": "t"} | scenario)


def at(bearing_deg: float, range_m: float, rcs_m2: float) -> dict[str, Any]:
    angle = math.radians(bearing_deg)
    motion = {"kind": "constant_velocity", "position_m": [range_m * math.sin(angle), range_m * math.cos(angle), 0]}
    return {"id": f"at-{bearing_deg:g}", "object_type": "SHIP", "rcs_m2": rcs_m2, "motion": motion}


def looks(parameters: RadarParameters, contacts: list[dict[str, Any]], count: int) -> list[Detections]:
    there = Contacts(world({"contacts": contacts}), UUID(int=1), np.random.default_rng(1))
    radar = Radar(parameters, np.random.default_rng(1))
    return [radar.measure(there, (0, 0, 0), (0, 0, 0)) for _ in range(count)]


@pytest.mark.parametrize(
    ("off_deg", "power_db"),
    [
        (0, 0.0),
        (15, -0.753),  # a quarter of the width: 12.04 dB / 16
        (30, -3.010),  # half the width: half the power
        (60, -12.041),  # the width: 1/16
        (80, -21.406),  # 12.041 dB · (4/3)²
        (90, -25.0),  # would be -27.1 dB: side lobes
        (180, -25.0),
    ],
)
def test_lobe_by_hand(off_deg: float, power_db: float):
    for bearing_deg, elev_deg in ((off_deg, 0), (-off_deg, 0), (0, min(off_deg, 90))):
        if max(abs(bearing_deg), elev_deg) == off_deg:
            assert 10 * math.log10(lit(LOBE, bearing_deg, elev_deg)) == pytest.approx(power_db, abs=1e-3)


def test_without_a_pattern_all_directions_are_alike():
    assert {lit(None, bearing, elev) for bearing in (0, 123, 300) for elev in (-90, 0, 45)} == {1.0}


@pytest.mark.parametrize(
    ("heading_deg", "bearing_deg", "elev_deg"), [(0, 0, 0), (90, 0, 0), (0, 90, 0), (300, 100, 0), (45, -45, 70)]
)
def test_the_lobe_turns_with_the_vehicle(heading_deg: float, bearing_deg: float, elev_deg: float):
    pattern = LOBE.model_copy(update={"bearing_deg": bearing_deg, "elev_deg": elev_deg})
    ahead = (heading_deg + bearing_deg) % 360
    assert lit(pattern, ahead, elev_deg, heading_deg) == pytest.approx(1)
    assert lit(pattern, ahead, elev_deg - 30, heading_deg) == pytest.approx(0.5)


@pytest.mark.parametrize(("off_deg", "share"), [(0, 1.0), (30, 2**-0.25), (60, 0.5)])
def test_detection_rate_off_the_boresight(interval: type[Any], off_deg: float, share: float):
    """At a width's distance off the boresight a contact is seen as at twice the range on it."""
    parameters, count = RadarParameters(transmit_pattern=LOBE.model_copy(update={"bearing_deg": -off_deg})), 800
    level = threshold(parameters.false_alarm_probability)
    range_m, snr = 8000.0 * share, 50.0
    contact = at(0, range_m, snr * 8000.0**4 / reach_m2(parameters))
    low, high = interval.binomial(count, float(detection_probability(np.array([snr]), level, Swerling.I)[0]))
    found = [np.count_nonzero(np.abs(one.range_m - range_m) < 50) for one in looks(parameters, [contact], count)]
    assert low <= sum(found) <= high


def test_the_radar_knows_its_pattern_when_it_estimates_the_cross_section():
    parameters = RadarParameters(transmit_pattern=LOBE, swerling=0, false_alarm_probability=1e-16)
    ring = [at(360 / RING * i, 2000, 100) for i in range(RING)]
    seen = looks(parameters, ring, 50)
    assert all(len(one) == RING for one in seen)
    # At least 100 m² at 2 km in side lobes of -25 dB: 39 dB, which spreads a steady echo by 1.6 %.
    rcs_m2 = np.concatenate([10 ** (one.rcs_dbsm / 10) for one in seen])
    assert rcs_m2.mean() == pytest.approx(100, rel=0.01)
    snr_db = np.concatenate([one.snr_db for one in seen])
    assert snr_db.max() - snr_db.min() == pytest.approx(25, abs=1)


def test_false_alarms_come_from_everywhere_all_the_same():
    patterns = (None, LOBE)
    noisy = [RadarParameters(false_alarm_probability=1e-8, transmit_pattern=pattern) for pattern in patterns]
    plain, shaped = ([one.bearing_deg.tolist() for one in looks(parameters, [], 20)] for parameters in noisy)
    assert plain == shaped
    assert sum(map(len, plain)) > 50


def test_a_vehicle_sees_ahead_of_itself():
    radar = {"transmit_pattern": {"width_deg": 40, "side_lobe_db": -80}, "false_alarm_probability": 1e-16}
    scenario = world({"radar": radar, "bot": {"heading_deg": 90}, "contacts": [at(0, 3000, 10), at(90, 3100, 10)]})
    simulated = SimWorld(scenario, BotParameters(), 1, UUID(int=1))
    frames = [frame for frame in (simulated.tick().frame for _ in range(40)) if frame is not None]
    seen = np.concatenate([frame.detections.bearing_deg for frame in frames])
    assert len(seen) > 15
    assert np.abs(seen - 90).max() < 5


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"width_deg": 0}, "width_deg"), ({"width_deg": 60, "side_lobe_db": 3}, "side_lobe_db"), ({}, "width_deg")],
)
def test_refuses_what_is_no_pattern(wrong: dict[str, float], field: str):
    with pytest.raises(ValidationError) as caught:
        RadarParameters.model_validate({"transmit_pattern": wrong})
    assert [error["loc"] for error in caught.value.errors()] == [("transmit_pattern", field)]
