"""Resolved and unresolved contacts."""

import math
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.geometry import unit_vectors
from qiki.radar import Detections, Radar, RadarParameters
from qiki.radar.plots import centroids, leaders
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario, load_scenario

PARAMETERS = RadarParameters(false_alarm_probability=1e-16)
CELL_M, CELL_MPS, CELL_DEG = 14.99, 1.5625, 4.0


def look(*contacts: dict, swerling: int = 0, seed: int = 1) -> Detections:
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts})
    radar = Radar(PARAMETERS.model_copy(update={"swerling": swerling}), np.random.default_rng(seed))
    return radar.measure(Contacts(scenario, UUID(int=1), np.random.default_rng(1)), (0, 0, 0), (0, 0, 0))


def ship(name: str, position_m: list[float], rcs_m2: float = 100.0, vy_mps: float = 0.0, **rest: object) -> dict:
    motion = {"kind": "constant_velocity", "position_m": position_m, "velocity_mps": [0, vy_mps, 0]}
    return {"id": name, "object_type": "SHIP", "rcs_m2": rcs_m2, "motion": motion, **rest}


@pytest.mark.parametrize(
    ("other", "plots"),
    [
        (ship("b", [0, 2010, 0], 4), 1),
        (ship("b", [0, 2016, 0], 4), 2),
        (ship("b", [0, 2005, 0], 4, vy_mps=1.5), 1),
        (ship("b", [0, 2005, 0], 4, vy_mps=1.6), 2),
        (ship("b", [2000 * math.sin(math.radians(3.9)), 2000 * math.cos(math.radians(3.9)), 0], 4), 1),
        (ship("b", [2000 * math.sin(math.radians(4.1)), 2000 * math.cos(math.radians(4.1)), 0], 4), 2),
        (ship("b", [0, 2000 * math.cos(math.radians(4.1)), 2000 * math.sin(math.radians(4.1))], 4), 2),
    ],
    ids=["range<", "range>", "speed<", "speed>", "bearing<", "bearing>", "elevation>"],
)
def test_two_contacts_in_one_cell_are_one_plot(other: dict, plots: int):
    assert len(look(ship("a", [0, 2000, 0]), other)) == plots


def test_a_merged_plot_lies_at_the_weighted_centroid():
    # SNR is as 100/2000⁴ to 25/2010⁴, so 0.8032 to 0.1968.
    ranges = [look(ship("a", [0, 2000, 0]), ship("b", [0, 2010, 0], 25), seed=seed).range_m[0] for seed in range(300)]
    assert np.mean(ranges) == pytest.approx(2001.97, abs=4 * 1.01 / math.sqrt(300))


def test_amplitudes_of_a_merged_plot_add():
    # Equal and steady: power is 2(1 + cos φ) times one's own, with a uniform phase φ; its mean is 2, its spread √2.
    pair = [10 ** (look(ship("a", [0, 2000, 0]), ship("b", [0, 2000, 0]), seed=s).snr_db / 10) for s in range(400)]
    alone = 10 ** (look(ship("a", [0, 2000, 0])).snr_db[0] / 10)
    total = sum(float(one.sum()) for one in pair)
    assert total / 400 / alone == pytest.approx(2, abs=4 * math.sqrt(2 / 400) + 0.01)


def test_the_strongest_of_a_cell_replies():
    beacon = {"transponder": {"mode": "ON", "id": "A1"}}
    weak = {"transponder": {"mode": "ON", "id": "B2"}}
    plot = look(ship("b", [0, 2001, 0], 4, **weak), ship("a", [0, 2000, 0], **beacon))
    assert plot.transponder_id.tolist() == ["A1"]


def test_absorbs_from_the_strongest_on_and_does_not_chain():
    # Three in a row, 10 m from one to the next: the strong first one takes the middle, the last one stays alone.
    result = leaders(
        PARAMETERS, np.array([100.0, 110, 120]), np.tile([0.0, 1, 0], (3, 1)), np.zeros(3), np.array([9.0, 5, 1])
    )
    assert result.tolist() == [0, 0, 2]


echoes = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 3), st.integers(0, 3), st.sampled_from([1.0, 2.0, 3.0])),
    max_size=25,
)


@given(echoes)
def test_leaders_follow_their_law(drawn: list[tuple[int, int, int, float]]):
    """Against the definition, pair by pair: no two leaders share a cell, and who follows shares one with a stronger."""
    table = np.array(drawn, float).reshape(-1, 4)
    range_m, vr_mps, snr = 100 + table[:, 0], table[:, 1], table[:, 3]
    sight = unit_vectors(np.radians(2.5 * table[:, 2]), np.zeros(len(table)))
    result = leaders(PARAMETERS, range_m, sight, vr_mps, snr)

    def share(i: int, j: int) -> bool:
        return (
            abs(range_m[i] - range_m[j]) < CELL_M
            and abs(vr_mps[i] - vr_mps[j]) < CELL_MPS
            and abs(table[i, 2] - table[j, 2]) * 2.5 < CELL_DEG
        )

    alone = [i for i in range(len(table)) if result[i] == i]
    assert not any(share(i, j) for i in alone for j in alone if i < j)
    for i, host in enumerate(result.tolist()):
        assert result[host] == host
        assert i == host or (share(i, host) and snr[host] >= snr[i])


def test_centroids_by_hand():
    values, leader, weights = np.array([10.0, 20, 30]), np.array([0, 0, 2]), np.array([3.0, 1, 5])
    assert centroids(values, leader, weights).tolist() == [12.5, 0, 30]


def test_merging_scenario_merges_for_some_seconds():
    scenario = load_scenario("merging")
    contacts = Contacts(scenario, UUID(int=1), np.random.default_rng(1))
    radar = Radar(PARAMETERS, np.random.default_rng(1))
    counts = []
    for _ in range(400):
        counts.append(len(radar.measure(contacts, (0, 0, 0), (0, 0, 0))))
        contacts.step(0.1)
    alone = np.flatnonzero(np.array(counts) == 1) / 10
    close = alone[(alone > 17.5) & (alone < 22.5)]
    assert 2 < len(close) / 10 < 5
    assert np.median(close) == pytest.approx(20, abs=0.5)
