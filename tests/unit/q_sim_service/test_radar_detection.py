"""How often contacts are seen and ghosts appear, against the laws. Seeded; bounds are four standard deviations."""

import math
from collections.abc import Callable
from uuid import UUID

import numpy as np
import pytest

from q_sim_service.contacts import Contacts
from q_sim_service.radar import Detections, Radar, RadarParameters
from q_sim_service.radar.echoes import threshold
from q_sim_service.radar.equation import from_db, reach_m2
from q_sim_service.scenario import Scenario
from qiki.contracts.radar import MAX_DETECTIONS

Law = Callable[[float, float], float]

RANGE_M = 8000.0
RING = 60
LOOKS = 200
PARAMETERS = RadarParameters()
AT_REST = (0.0, 0.0, 0.0)


def contacts_of(contacts: list[dict], **rest: object) -> Contacts:
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts, **rest})
    return Contacts(scenario, UUID(int=1), np.random.default_rng(1))


def ring(snr_db: float) -> Contacts:
    """Contacts all round, each 6° from the next, with the cross-section that gives this mean SNR."""
    rcs = from_db(snr_db) * RANGE_M**4 / reach_m2(PARAMETERS)
    angles = np.radians(np.arange(RING) * 360 / RING)
    places = [[RANGE_M * math.sin(a), RANGE_M * math.cos(a), 0.0] for a in angles]
    motions = [{"kind": "constant_velocity", "position_m": place} for place in places]
    return contacts_of(
        [{"id": f"c{i}", "object_type": "DRONE", "rcs_m2": rcs, "motion": m} for i, m in enumerate(motions)]
    )


def looks(parameters: RadarParameters, contacts: Contacts, count: int = LOOKS, seed: int = 1) -> list[Detections]:
    radar = Radar(parameters, np.random.default_rng(seed))
    return [radar.measure(contacts, AT_REST, AT_REST) for _ in range(count)]


def hits(detections: list[Detections]) -> int:
    """Plots of the ring; ghosts lie elsewhere but for one in hundreds."""
    return sum(int(np.count_nonzero(np.abs(one.range_m - RANGE_M) < 100)) for one in detections)


def swerling_1(snr: float, threshold: float) -> float:
    """Power is Exp(1 + SNR): P_fa^(1/(1 + SNR)) (Richards, 2nd ed., ch. 6)."""
    return math.exp(-threshold / (1 + snr))


def swerling_3(snr: float, threshold: float) -> float:
    """Its moment generating function is (1 - s)/(1 - a·s)² with a = 1 + SNR/2; in partial fractions:"""
    a = 1 + snr / 2
    return math.exp(-threshold / a) * (1 + (1 - 1 / a) * threshold / a)


def steady(snr: float, threshold: float) -> float:
    """Marcum's Q as its Poisson mixture of Erlang tails."""
    erlang_term, tail, weight, total = math.exp(-threshold), 0.0, math.exp(-snr), 0.0
    for k in range(400):
        tail += erlang_term
        total += weight * tail
        erlang_term *= threshold / (k + 1)
        weight *= snr / (k + 1)
    return total


@pytest.mark.parametrize("snr_db", [10.0, 13.0, 20.0])
@pytest.mark.parametrize(("model", "law"), [(0, steady), (1, swerling_1), (3, swerling_3)])
def test_detection_probability_follows_the_law(model: int, law: Law, snr_db: float):
    parameters = PARAMETERS.model_copy(update={"swerling": model})
    expected = law(from_db(snr_db), -math.log(parameters.false_alarm_probability))
    n = RING * LOOKS
    found = hits(looks(parameters, ring(snr_db)))
    assert abs(found - n * expected) <= 4 * math.sqrt(n * expected * (1 - expected)) + 1


def test_stated_probability_at_12_km():
    # 13 dB at one false alarm in 10¹⁰ cells: 10^(-10/20.95) = 0.333
    assert swerling_1(from_db(13.0), -math.log(1e-10)) == pytest.approx(0.333, abs=1e-3)


def test_laws_agree_with_tables():
    # P_fa 1e-6 and P_d 0.9: steady 13.2 dB, Swerling I 21.1 dB, Swerling III 17.1 dB (Skolnik, Radar Handbook, ch. 2)
    threshold = -math.log(1e-6)
    assert steady(from_db(13.2), threshold) == pytest.approx(0.9, abs=0.01)
    assert swerling_1(from_db(21.1), threshold) == pytest.approx(0.9, abs=0.01)
    assert swerling_3(from_db(17.1), threshold) == pytest.approx(0.9, abs=0.01)


def test_measured_snr_and_cross_section_have_the_true_mean():
    snr_db = 35.0
    seen = looks(PARAMETERS, ring(snr_db))
    snr = np.concatenate([10 ** (one.snr_db / 10) for one in seen])
    rcs = np.concatenate([10 ** (one.rcs_dbsm / 10) for one in seen])
    # Exp(SNR) cut off at the threshold, which at 35 dB takes away less than 1 %; spread equals mean.
    assert snr.mean() == pytest.approx(from_db(snr_db), rel=0.01 + 4 / math.sqrt(len(snr)))
    true_rcs = from_db(snr_db) * RANGE_M**4 / reach_m2(PARAMETERS)
    assert rcs.mean() == pytest.approx(true_rcs, rel=0.01 + 4 / math.sqrt(len(rcs)))


def test_noise_does_not_raise_the_measured_snr():
    # Steady, 20 dB: power less the noise's mean is 100 ± √(2·100 + 1), and hardly ever below the threshold of 23.
    seen = looks(PARAMETERS.model_copy(update={"swerling": 0}), ring(20.0))
    snr = np.concatenate([10 ** (one.snr_db / 10) for one in seen])
    assert snr.mean() == pytest.approx(100, abs=4 * math.sqrt(201 / len(snr)))


@pytest.fixture(scope="module")
def ghosts() -> list[Detections]:
    parameters = PARAMETERS.model_copy(update={"false_alarm_probability": 2 / PARAMETERS.cells})
    return looks(parameters, contacts_of([]), count=2000)


def test_false_alarms_are_poisson(ghosts: list[Detections]):
    counts = np.array([len(one) for one in ghosts])
    assert abs(counts.sum() - 4000) < 4 * math.sqrt(4000)
    # The variance of a Poisson sample over its mean is 1 ± √(2 / n).
    assert counts.var() / counts.mean() == pytest.approx(1, abs=4 * math.sqrt(2 / 2000))


def test_false_alarms_lie_evenly_over_the_cells(ghosts: list[Detections]):
    def evenly(values: np.ndarray, low: float, high: float) -> None:
        counts, _ = np.histogram(values, bins=10, range=(low, high))
        assert counts.sum() == len(values)
        expected = len(values) / 10
        assert ((counts - expected) ** 2 / expected).sum() < 33.7  # chi-square, 9 degrees of freedom, 1 in 10⁴

    evenly(np.concatenate([one.range_m for one in ghosts]), 10, 16_005)
    evenly(np.concatenate([one.bearing_deg for one in ghosts]), 0, 360)
    evenly(np.concatenate([np.sin(np.radians(one.elev_deg)) for one in ghosts]), -1, 1)
    evenly(np.concatenate([one.vr_mps for one in ghosts]), -202, 202)


def test_false_alarms_are_weak_and_say_nothing(ghosts: list[Detections]):
    # Noise power over the threshold exceeds it by Exp(1).
    excess = np.concatenate([10 ** (one.snr_db / 10) for one in ghosts]) + 1 + math.log(2 / PARAMETERS.cells)
    assert excess.min() > -0.05
    assert excess.mean() == pytest.approx(1, abs=4 / math.sqrt(len(excess)))
    assert not any(one.transponder_on.any() for one in ghosts)


def test_empty_sky_gives_an_empty_look():
    quiet = PARAMETERS.model_copy(update={"false_alarm_probability": 1e-16})
    (look,) = looks(quiet, contacts_of([]), count=1)
    assert len(look) == 0
    assert look.to_models() == ()


@pytest.mark.parametrize(("range_m", "seen"), [(10.0, False), (20.0, True), (15_990.0, True), (16_100.0, False)])
def test_sees_between_its_least_and_greatest_range(range_m: float, seen: bool):
    contact = {"kind": "constant_velocity", "position_m": [0, range_m, 0]}
    contacts = contacts_of([{"id": "c", "object_type": "STATION", "rcs_m2": 1e6, "motion": contact}])
    found = [np.abs(one.range_m - range_m).min(initial=np.inf) < 20 for one in looks(PARAMETERS, contacts, 20)]
    assert any(found) == seen


def test_does_not_see_who_is_not_there():
    motion = {"kind": "constant_velocity", "position_m": [0, 1000, 0]}
    contacts = contacts_of([{"id": "c", "object_type": "SHIP", "motion": motion, "appears_at_s": 1}])
    quiet = PARAMETERS.model_copy(update={"false_alarm_probability": 1e-16})
    assert [len(one) for one in looks(quiet, contacts, 5)] == [0] * 5
    contacts.step(1.0)
    assert [len(one) for one in looks(quiet, contacts, 5)] == [1] * 5


def test_same_seed_same_looks():
    first, same, other = (looks(PARAMETERS, ring(20.0), 5, seed) for seed in (1, 1, 2))
    assert [one.rows() for one in first] == [one.rows() for one in same]
    assert [one.rows() for one in first] != [one.rows() for one in other]


def test_a_frame_holds_the_strongest_only():
    parameters = RadarParameters(pulses=1, false_alarm_probability=3.4e-4)
    shell = {"rcs_m2": 1e6, "radius_m": [500, 5000], "elev_deg": [-90, 90], "speed_mps": [0, 1]}
    swarms = [{"id": f"s{i}", "count": 1800, **shell} for i in range(2)]
    look = looks(parameters, contacts_of([], swarms=swarms), 1)[0]
    assert len(look) == MAX_DETECTIONS
    # Some 3,500 echoes, and of some 930 false alarms the stronger half: those that exceed the threshold by ln 2.
    assert np.count_nonzero(look.snr_db > 20) > 3400
    excess = 10 ** (look.snr_db.min() / 10) + 1 - threshold(parameters.false_alarm_probability)
    assert 0.3 < excess < 1.2
    assert (np.diff(look.range_m) >= 0).all()
