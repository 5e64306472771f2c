"""Replies with a link of their own: its budget by hand, how often they are decoded, and that nothing else changes."""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pydantic import ValidationError

from qiki.radar import Detections, Radar, RadarParameters
from qiki.radar.detection import marcum_q
from qiki.radar.equation import from_db, reply_snr
from qiki.radar.parameters import ReplyLink
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario

QUIET = RadarParameters(swerling=0, false_alarm_probability=1e-16)
RING, LOOKS, RANGE_M = 40, 100, 4000.0

# Decibels of every factor of the default link from 5 km, added up by hand.
BY_HAND_DB = {
    "100 W": 20.0,
    "receive gain": 32.0,
    "wavelength² (0.1 m)²": -20.0,
    "(4π)²": -21.984,
    "(5 km)²": -73.979,
    "k · 290 K": 203.975,
    "1 MHz": -60.0,
    "noise figure": -3.0,
    "losses": -3.0,
}


def link(**fields: float) -> RadarParameters:
    return QUIET.model_copy(update={"replies": ReplyLink.model_validate(fields)})


def snr_db(parameters: RadarParameters, range_m: float) -> float:
    assert parameters.replies is not None
    return 10 * math.log10(reply_snr(parameters, parameters.replies, np.array([range_m]))[0])


def looks(parameters: RadarParameters, count: int = LOOKS) -> list[Detections]:
    """At strong contacts all round that all reply."""
    contacts = [
        {
            "id": f"c{i}",
            "object_type": "STATION",
            "transponder": {"mode": "ON", "id": f"T{i}"},
            "motion": {"kind": "constant_velocity", "position_m": [RANGE_M * math.sin(a), RANGE_M * math.cos(a), 0]},
        }
        for i, a in enumerate(np.arange(RING) * 2 * math.pi / RING)
    ]
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts})
    there = Contacts(scenario, UUID(int=1), np.random.default_rng(1))
    radar = Radar(parameters, np.random.default_rng(2))
    return [radar.measure(there, (0, 0, 0), (0, 0, 0)) for _ in range(count)]


def test_the_budget_by_hand():
    assert snr_db(link(), 5000) == pytest.approx(sum(BY_HAND_DB.values()), abs=2e-3)


def test_a_reply_falls_with_the_square_of_the_range_and_by_its_own_losses():
    assert snr_db(link(), 2500) - snr_db(link(), 5000) == pytest.approx(20 * math.log10(2))
    assert snr_db(link(), 5000) - snr_db(link(losses_db=13), 5000) == pytest.approx(10)
    assert snr_db(link(gain_db=6), 5000) - snr_db(link(), 5000) == pytest.approx(6)
    assert snr_db(link(bandwidth_hz=4e6), 5000) - snr_db(link(), 5000) == pytest.approx(-6.02, abs=1e-3)


def decoded(parameters: RadarParameters) -> int:
    """Replies of the ring in all looks; no plot is missing."""
    seen = looks(parameters)
    assert sum(map(len, seen)) == RING * LOOKS
    return sum(int(one.transponder_on.sum()) for one in seen)


def test_half_of_the_replies_at_the_threshold_are_decoded(interval: type[Any]):
    # As strong as the threshold, 12 dB: Q₁(a, a) = (1 + exp(-x) I₀(x)) / 2 with x = a² = 2 · 15.849, and exp(-x) I₀(x)
    # is (1 + 1/8x) / √(2πx) = 0.0711 (Abramowitz and Stegun, 9.7.1): 53.6 %.
    at_threshold = link(losses_db=3.0 + snr_db(link(), RANGE_M) - 12.0)
    low, high = interval.binomial(RING * LOOKS, 0.53557)
    assert low <= decoded(at_threshold) <= high


@pytest.mark.parametrize(
    "fields",
    [{"losses_db": 65.5}, {"losses_db": 68}, {"losses_db": 69, "threshold_db": 8}, {"losses_db": 64, "gain_db": -3}],
)
def test_replies_are_decoded_as_often_as_the_law_says(interval: type[Any], fields: dict[str, float]):
    parameters = link(**fields)
    strength = np.array([10 ** (snr_db(parameters, RANGE_M) / 10)])
    probability = float(marcum_q(strength, from_db(fields.get("threshold_db", 12.0)))[0])
    assert 0.1 < probability < 0.9
    low, high = interval.binomial(RING * LOOKS, probability)
    assert low <= decoded(parameters) <= high


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_strong_replies_are_lost_at_their_own_rate(interval: type[Any], share: float):
    low, high = interval.binomial(RING * LOOKS, share)
    assert low <= RING * LOOKS - decoded(link(loss_probability=share)) <= high


def test_a_lost_reply_leaves_the_plot_without_identity():
    (look,) = looks(link(loss_probability=1), 1)
    assert len(look) == RING
    assert look.transponder_id.tolist() == [None] * RING
    assert not look.id_present.any()


def test_a_strong_link_is_as_none_at_all():
    assert [one.transponder_id.tolist().count(None) for one in looks(link(), 5)] == [0] * 5
    assert [one.transponder_id.tolist().count(None) for one in looks(QUIET, 5)] == [0] * 5


@pytest.mark.parametrize(
    ("wrong", "field"), [({"loss_probability": 1.1}, "loss_probability"), ({"power_w": 0}, "power_w"), ({"x": 1}, "x")]
)
def test_refuses_what_is_no_link(wrong: dict[str, float], field: str):
    with pytest.raises(ValidationError) as caught:
        RadarParameters.model_validate({"replies": wrong})
    assert [error["loc"] for error in caught.value.errors()] == [("replies", field)]
