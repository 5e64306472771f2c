"""Contacts through time: presence, transponders, swarms, and that steps may be cut at will."""

from uuid import UUID, uuid5

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario, load_scenario

RUN = UUID("6f1c7b1e-0000-4000-8000-000000000001")


def contacts_of(*contacts: dict, seed: int = 1, **rest: object) -> Contacts:
    scenario = Scenario.model_validate({"name": "t", "description": "t", "contacts": contacts, **rest})
    return Contacts(scenario, RUN, np.random.default_rng(seed))


def drone(**rest: object) -> dict:
    motion = {"kind": "constant_velocity", "position_m": [100, 0, 0], "velocity_mps": [0, 10, 0]}
    return {"id": "one", "object_type": "DRONE", "motion": motion} | rest


def swarm(**rest: object) -> dict:
    return {"id": "bee", "count": 300, "radius_m": [500, 2000], "speed_mps": [5, 30], **rest}


def test_describes_each_contact():
    contacts = contacts_of(
        drone(id="a", side="FOE", rcs_m2=7), drone(id="b", object_type="STATION"), drone(id="c", object_type="DEBRIS")
    )
    assert contacts.names == ["a", "b", "c"]
    assert contacts.ids == [uuid5(RUN, f"contact:{name}") for name in "abc"]
    assert contacts.object_types.tolist() == [ObjectType.DRONE, ObjectType.STATION, ObjectType.DEBRIS]
    assert contacts.iffs.tolist() == [FriendFoe.FOE, FriendFoe.UNKNOWN, FriendFoe.UNKNOWN]
    assert contacts.rcs_m2.tolist() == [7.0, 2000.0, 0.5]


TRAFFIC = load_scenario("mixed-traffic")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_how_time_is_cut_makes_no_difference(ticks: list[int]):
    cut, whole = (Contacts(TRAFFIC, RUN, np.random.default_rng(1)) for _ in range(2))
    for count in ticks:
        cut.step(count * 0.05)
    for _ in range(sum(ticks)):
        whole.step(0.05)
    assert cut.t_s == whole.t_s
    np.testing.assert_array_equal(cut.positions, whole.positions)
    np.testing.assert_array_equal(cut.velocities, whole.velocities)


def test_time_does_not_drift():
    contacts = contacts_of(drone())
    for _ in range(1201):
        contacts.step(0.05)
    assert contacts.t_s == 60.05  # a sum of floats gives 60.049999999998725
    assert contacts.positions[0, 1] == 600.5


def test_appears_moves_and_disappears():
    contacts = contacts_of(drone(appears_at_s=2, disappears_at_s=5))
    seen = []
    for _ in range(60):
        seen.append((contacts.present[0], contacts.positions[0, 1]))
        contacts.step(0.1)
    assert [present for present, _ in seen] == [2 <= k / 10 < 5 for k in range(60)]
    assert seen[20][1] == 0.0
    assert seen[40][1] == pytest.approx(20.0)


def test_transponder_follows_its_schedule():
    transponder = {
        "mode": "ON",
        "id": "A1",
        "spoof_id": "B2",
        "schedule": [{"at_s": 1, "mode": "SILENT"}, {"at_s": 2, "mode": "SPOOF"}, {"at_s": 3, "mode": "OFF"}],
    }
    contacts = contacts_of(drone(transponder=transponder), identities={"B2": "FRIEND"})
    said = []
    for _ in range(4):
        said.append((contacts.transponder_modes[0], contacts.claimed_ids[0]))
        contacts.step(1.0)
    assert said == [
        (TransponderMode.ON, "A1"),
        (TransponderMode.SILENT, None),
        (TransponderMode.SPOOF, "B2"),
        (TransponderMode.OFF, None),
    ]


def test_swarm_fills_its_shell():
    contacts = contacts_of(swarms=[swarm(centre_m=[10, 20, 30], elev_deg=[-10, 40])])
    arm = contacts.positions - [10, 20, 30]
    radius = np.linalg.norm(arm, axis=1)
    elevation = np.degrees(np.arcsin(arm[:, 2] / radius))
    assert (radius >= 500).all()
    assert (radius <= 2000).all()
    assert (elevation >= -10).all()
    assert (elevation <= 40).all()
    # Uniform over the volume: half of it lies beyond the cube root of the mean of the cubed radii.
    half = np.cbrt((500**3 + 2000**3) / 2)
    assert abs(np.count_nonzero(radius > half) - 150) < 4 * np.sqrt(300 / 4)
    speed = np.linalg.norm(contacts.velocities, axis=1)
    assert (speed >= 5).all()
    assert (speed <= 30).all()
    assert not contacts.velocities[:, 2].any()


def test_swarm_replies_with_its_own_names():
    contacts = contacts_of(swarms=[swarm(count=3, transponder_mode="ON")])
    assert contacts.claimed_ids.tolist() == contacts.names == ["bee-000", "bee-001", "bee-002"]


def test_swarm_comes_from_the_seed():
    first, same, other = (contacts_of(swarms=[swarm()], seed=seed).positions for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_nobody_is_there():
    contacts = contacts_of()
    contacts.step(0.05)
    assert len(contacts) == 0
    assert contacts.positions.shape == (0, 3)
    assert contacts.claimed_ids.shape == contacts.present.shape == (0,)
