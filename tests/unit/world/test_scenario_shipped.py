"""The shipped scenarios: that all run, and that each has what it promises."""

from uuid import UUID

import numpy as np
import pytest
from pydantic import BaseModel

from qiki.contracts.enums import FriendFoe, ObjectType, RadarRangeBand, TransponderMode
from qiki.radar import Detections, Radar
from qiki.shipped import SCENARIOS
from qiki.world.contacts import Contacts
from qiki.world.scenario import Scenario, load_scenario, scenario_names

FRAME_S = 0.1


class History:
    """A minute of a scenario with the bot at rest at its place: arrays by frame, and every tenth look."""

    def __init__(self, name: str, seconds: int = 60) -> None:
        self.scenario = load_scenario(name)
        contacts = Contacts(self.scenario, UUID(int=1), np.random.default_rng(self.scenario.seed))
        radar = Radar(self.scenario.radar, np.random.default_rng(self.scenario.seed + 1))
        self.names, own = contacts.names, np.array(self.scenario.bot.position_m)
        positions, velocities, modes, claims = [], [], [], []
        self.looks: list[Detections] = []
        for _ in range(int(seconds / FRAME_S)):
            positions.append(contacts.positions)
            velocities.append(contacts.velocities)
            modes.append(contacts.transponder_modes)
            claims.append(contacts.claimed_ids)
            self.looks.append(radar.measure(contacts, own, self.scenario.bot.velocity_mps))
            contacts.step(FRAME_S)
        self.positions, self.velocities = np.array(positions), np.array(velocities)
        self.modes, self.claims = np.array(modes), np.array(claims)
        self.range_m = np.linalg.norm(self.positions - own, axis=2)

    def of(self, name: str) -> int:
        return self.names.index(name)


@pytest.fixture(scope="module")
def mixed() -> History:
    return History("mixed-traffic")


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_runs_a_minute(name: str):
    history = History(name)
    assert history.scenario.name == name
    assert np.isfinite(history.positions).all()
    assert np.isfinite(history.velocities).all()
    for look in history.looks[::10]:
        assert len(look.to_models()) == len(look)


def test_there_are_the_promised_ones():
    promised = {"empty", "single-pass", "crossing", "swarm-50", "mixed-traffic", "collision"}
    assert promised <= set(scenario_names())


def test_empty_is_empty():
    assert sum(len(look) for look in History("empty").looks) == 0


def test_single_pass_comes_by_200_m_at_40_s():
    range_m = History("single-pass", 80).range_m[:, 0]
    assert range_m.argmin() * FRAME_S == pytest.approx(40.0)
    assert range_m.min() == pytest.approx(np.hypot(200, 30))
    assert min(range_m[0], range_m[-1]) > 1500


@pytest.mark.parametrize("pair", [("climber", "diver"), ("eastbound", "westbound")])
def test_crossing_really_crosses(pair: tuple[str, str]):
    history = History("crossing")
    one, other = (history.positions[:, history.of(name)] for name in pair)
    apart = np.linalg.norm(one - other, axis=1)
    assert apart.argmin() * FRAME_S == pytest.approx(30.0)
    assert apart.min() < 31
    assert apart[0] > 1000
    np.testing.assert_allclose(np.linalg.norm(history.velocities, axis=2), 30.0, atol=1e-3)
    # The paths cross, or pass: who was on one side is on the other in the end.
    assert ((one - other)[0, :2] * (one - other)[-1, :2]).min() < 0


def test_crossing_pairs_are_resolved():
    history = History("crossing")
    around = [len(look) for look in history.looks[250:350]]
    assert np.mean(around) > 3.9


def test_swarm_is_fifty_in_a_short_file():
    history = History("swarm-50")
    assert len(history.names) == 50
    assert (history.range_m > 70).all()
    assert (history.range_m < 5050).all()
    assert np.mean([len(look) for look in history.looks]) > 48
    assert len((SCENARIOS / "swarm-50.yaml").read_text().splitlines()) < 15


def test_collision_collides_at_40_s():
    history = History("collision")
    boulder = history.range_m[:, history.of("boulder")]
    assert boulder[400] < 0.01
    assert history.range_m[:, history.of("heron")].min() > 500


def test_mixed_traffic_has_every_type_and_mode(mixed: History):
    assert {contact.object_type for contact in mixed.scenario.contacts} == set(ObjectType) - {0}
    assert set(mixed.modes[60].tolist()) == set(TransponderMode)
    assert {contact.side for contact in mixed.scenario.contacts} == set(FriendFoe) - {0}


def test_mixed_traffic_shows_six_contacts_and_both_bands_at_once(mixed: History):
    for look in mixed.looks[:100]:
        assert len(look) >= 6
    first = mixed.looks[:10]
    assert all({RadarRangeBand.RR_LR, RadarRangeBand.RR_SR} <= set(look.range_band.tolist()) for look in first)


def test_mixed_traffic_has_a_spoofer_beside_the_one_it_claims_to_be(mixed: History):
    impostor, ferry = mixed.of("impostor"), mixed.of("ferry")
    assert (mixed.modes[:50, impostor] == TransponderMode.SILENT).all()
    assert (mixed.modes[51:, impostor] == TransponderMode.SPOOF).all()
    assert mixed.claims[60, impostor] == mixed.claims[60, ferry] == "SHP-ALBA"
    replies = [look.transponder_id.tolist().count("SHP-ALBA") for look in mixed.looks[51:]]
    assert np.mean(np.array(replies) == 2) > 0.9
    near = np.flatnonzero(mixed.range_m[:, impostor] < 500) * FRAME_S
    assert 20 < near.min() < 25
    assert near.max() - near.min() > 20


def test_mixed_traffic_has_a_foe_that_falls_silent_and_closes_in(mixed: History):
    viper = mixed.of("viper")
    assert mixed.scenario.identities["SHP-VIPER"] == FriendFoe.FOE
    assert mixed.claims[99, viper] == "SHP-VIPER"
    assert set(mixed.modes[100:, viper].tolist()) == {TransponderMode.SILENT}
    near = np.flatnonzero(mixed.range_m[:, viper] < 150) * FRAME_S
    assert 30 < near.min() < 45
    assert mixed.range_m[-1, viper] < 150


def test_mixed_traffic_grows_quiet():
    history = History("mixed-traffic", 200)
    near = np.flatnonzero((history.range_m < 160)[:, history.of("viper")]) * FRAME_S
    assert 75 < near.max() < 80
    assert history.range_m[-1, history.of("viper")] > 2000
    late = history.range_m[850:]
    assert (late[:, [history.of(name) for name in ("viper", "lurker")]] > 160).all()
    assert (late[:, history.of("impostor")] > 510).all()
    assert (late > 75).all()


def test_mixed_traffic_has_a_stranger_within_70_m(mixed: History):
    stray = mixed.of("stray")
    assert (mixed.claims[:, stray] == None).all()  # noqa: E711  elementwise
    near = np.flatnonzero(mixed.range_m[:, stray] < 70) * FRAME_S
    assert 10 < near.min() < 20
    assert near.max() - near.min() > 2
    assert mixed.range_m[:, stray].min() > 30


def test_mixed_traffic_has_one_who_comes_into_earshot(mixed: History):
    freighter = mixed.range_m[:, mixed.of("freighter")]
    entry = np.flatnonzero(freighter <= 5000)[0] * FRAME_S
    assert 8 < entry < 15
    assert not any("SHP-ORION" in look.transponder_id.tolist() for look in mixed.looks[:80])
    assert all("SHP-ORION" in look.transponder_id.tolist() for look in mixed.looks[200:210])


def test_manoeuvre_turns_at_3_to_8_mps2():
    history = History("manoeuvre")
    acceleration = np.linalg.norm(np.diff(history.velocities, axis=0), axis=2) / FRAME_S
    for name in ("hairpin", "hook", "circler", "orbiter"):
        turning = acceleration[:, history.of(name)]
        assert turning[turning > 0.1].min() > 1
        assert 2.9 < turning.max() < 8.5
    assert np.linalg.norm(history.velocities[-1, history.of("stopper")]) == 0
    assert acceleration[:, history.of("courier")].max() == 0


def test_formation_keeps_43_m_also_while_it_wheels():
    history = History("formation")
    apart = np.linalg.norm(np.diff(history.positions, axis=1), axis=2)
    np.testing.assert_allclose(apart[:290], 43.3, atol=0.1)
    np.testing.assert_allclose(history.velocities[-1], np.broadcast_to(history.velocities[-1, 0], (6, 3)), atol=1e-9)
    assert history.velocities[-1, 0] @ history.velocities[0, 0] < 0.6 * 41**2


def test_swarm_200_is_within_7_km():
    history = History("swarm-200", 10)
    assert history.range_m.shape[1] == 200
    assert history.range_m.max() < 7000


def test_descriptions_fit_a_line_of_a_list():
    for name in scenario_names():
        assert 20 < len(load_scenario(name).description) <= 120


def specs(model: type[BaseModel] = Scenario) -> set[type[BaseModel]]:
    """All models that a scenario is written with."""
    found, todo = set(), [model]
    while todo:
        one = todo.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one not in found:
                found.add(one)
                todo += [field.annotation for field in one.model_fields.values()]
        else:
            todo += getattr(one, "__args__", ())
    return found


def test_the_guide_names_every_field_and_every_scenario():
    guide = (SCENARIOS.parent / "docs" / "scenarios.md").read_text()
    fields = {name for spec in specs() for name in spec.model_fields}
    assert len(specs()) == 15
    assert sorted(name for name in fields if f"`{name}`" not in guide) == []
    assert sorted(name for name in scenario_names() if f"`{name}`" not in guide) == []
