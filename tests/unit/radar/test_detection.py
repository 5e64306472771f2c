"""Rates of detections and false alarms, against the laws. Seeded; where a law gives no interval, bounds are
four standard deviations.
"""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.radar import MAX_DETECTIONS
from qiki.radar import Detections, Radar, RadarParameters
from qiki.radar.detection import detection_probability, noise, threshold
from qiki.radar.equation import from_db, reach_m2
from qiki.radar.parameters import Swerling
from qiki.radar.plots import FalseAlarms, Plots
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario

RANGE_M = 8000.0
RING = 60
LOOKS = 200
PARAMETERS = RadarParameters()
AT_REST = (0.0, 0.0, 0.0)


def contacts_of(contacts: list[dict], **rest: object) -> Contacts:
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts, **rest})
    return Contacts(scenario, UUID(int=1), np.random.default_rng(1))


def ring(snr_db: float, own_case: int | None = None) -> Contacts:
    """Contacts all round, each 6° from the next, with the cross-section that gives this mean SNR.

    Every other one, from the second on, fluctuates as `own_case` says.
    """
    rcs = from_db(snr_db) * RANGE_M**4 / reach_m2(PARAMETERS)
    angles = np.radians(np.arange(RING) * 360 / RING)
    places = [[RANGE_M * math.sin(a), RANGE_M * math.cos(a), 0.0] for a in angles]
    motions = [{"kind": "constant_velocity", "position_m": place} for place in places]
    return contacts_of(
        [
            {"id": f"c{i}", "object_type": "DRONE", "rcs_m2": rcs, "motion": m, "swerling": own_case if i % 2 else None}
            for i, m in enumerate(motions)
        ]
    )


def looks(parameters: RadarParameters, contacts: Contacts, count: int = LOOKS, seed: int = 1) -> list[Detections]:
    radar = Radar(parameters, np.random.default_rng(seed))
    return [radar.measure(contacts, AT_REST, AT_REST) for _ in range(count)]


def of_the_ring(look: Detections) -> np.ndarray:
    """Plots near the ring; of some two thousand false alarms one lies there too."""
    return (np.abs(look.range_m - RANGE_M) < 100) & (np.abs(look.elev_deg) < 3)


def hits(detections: list[Detections]) -> int:
    """Plots of the ring."""
    return sum(int(np.count_nonzero(of_the_ring(one))) for one in detections)


def expected_probability(snr_db: float, model: int) -> float:
    """As `test_radar_laws` checks it."""
    level = -math.log(PARAMETERS.false_alarm_probability)
    return float(detection_probability(np.array([from_db(snr_db)]), level, Swerling(model))[0])


@pytest.mark.parametrize("snr_db", [10.0, 13.0, 20.0])
@pytest.mark.parametrize("model", [0, 1, 3])
def test_detection_rate_follows_the_law(interval: type[Any], model: int, snr_db: float):
    parameters = PARAMETERS.model_copy(update={"swerling": model})
    low, high = interval.binomial(RING * LOOKS, expected_probability(snr_db, model))
    assert low <= hits(looks(parameters, ring(snr_db))) <= high


@pytest.mark.parametrize("model", [0, 3])
def test_a_contact_may_fluctuate_in_its_own_way(interval: type[Any], model: int):
    """Every other one of the ring has a case of its own, the rest has the radar's."""
    seen = looks(PARAMETERS, ring(13.0, own_case=model))
    odd = sum(int(np.count_nonzero(np.round(one.bearing_deg[of_the_ring(one)] / 6) % 2)) for one in seen)
    for count, case in ((odd, model), (hits(seen) - odd, 1)):
        low, high = interval.binomial(RING // 2 * LOOKS, expected_probability(13.0, case))
        assert low <= count <= high, case


def test_a_swarm_fluctuates_in_its_own_way():
    swarm = {"id": "s", "count": 3, "swerling": 0, "radius_m": [500, 600], "speed_mps": [0, 0]}
    assert contacts_of([], swarms=[swarm]).swerling.tolist() == [0, 0, 0]


@pytest.mark.parametrize("p_fa", [0.1, 1e-3])
def test_noise_crosses_the_threshold_as_often_as_it_may(interval: type[Any], p_fa: float):
    cells = 500_000
    power = np.abs(noise((cells,), np.random.default_rng(1))) ** 2
    low, high = interval.binomial(cells, p_fa)
    assert low <= np.count_nonzero(power > threshold(p_fa)) <= high


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


NOTHING = Plots(np.zeros(0), np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.full(0, None))


@pytest.fixture(scope="module")
def ghosts() -> list[Detections]:
    parameters = PARAMETERS.model_copy(update={"false_alarm_probability": 2 / PARAMETERS.cells})
    return looks(parameters, contacts_of([]), count=2000)


def test_false_alarms_are_poisson(ghosts: list[Detections], interval: type[Any]):
    counts = np.array([len(one) for one in ghosts])
    low, high = interval.poisson(4000)
    assert low <= counts.sum() <= high
    # The index of dispersion: of a Poisson sample it is a chi-square of n - 1 degrees of freedom.
    low, high = interval.chi_square(1999)
    assert low < ((counts - counts.mean()) ** 2).sum() / counts.mean() < high


def test_false_alarms_of_the_default_radar_are_as_many_as_stated(interval: type[Any]):
    rng, count = np.random.default_rng(1), 20_000
    low, high = interval.poisson(count * PARAMETERS.false_alarms_per_look)
    alarms = FalseAlarms(PARAMETERS)
    assert low <= sum(len(alarms.added(NOTHING, rng)) for _ in range(count)) <= high


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
