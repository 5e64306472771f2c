"""The hunt's worlds, its shrinking and what it keeps; the search itself takes optuna (tests/train)."""

import importlib.util
import sys
from dataclasses import replace

import pytest

from qiki.errors import UserError
from qiki.tasks import Avoid
from qiki.tasks.criteria import Criterion, load_criteria
from qiki.world.scenario import Scenario, load_scenario, scenario_names
from qiki_harness.cli import main
from qiki_harness.hunt.flights import Flights, find_criterion
from qiki_harness.hunt.kept import keep, named
from qiki_harness.hunt.shrink import shrink
from qiki_harness.hunt.worlds import begin_m, is_fair, movable, moved, plain, simpler, size_of, with_contacts
from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.work import fly

NEAR = Criterion(id="NEAR", description="never closer than 150 m", min_distance_m=150)


class Here:
    """A crew in this process."""

    def fly(self, runs, criteria, _stop):
        for run in runs:
            yield fly(run, criteria)


def flights(criterion=NEAR, **chosen):
    like = plan(SweepSpec(**{"scenarios": ("crossing",), "seeds": 1, "seconds": 16.0, **chosen})).runs[0]
    return Flights(Here(), like, criterion, 4)


def passing(*velocities):
    """Return a world of contacts that begin 300 m north, of which those with -20 m/s pass the vehicle."""
    contacts = [
        {
            "id": f"drone-{n}",
            "object_type": "DRONE",
            "side": "FOE",
            "motion": {
                "kind": "constant_velocity",
                "position_m": [40.0 * n + 1.234, 300.567, 3.21],
                "velocity_mps": [0.123, north, 0.0],
            },
        }
        for n, north in enumerate(velocities)
    ]
    content = {"name": "passing", "description": "contacts", "seed": 77, "contacts": contacts}
    return Scenario.model_validate(content)


@pytest.mark.parametrize("name", scenario_names())
def test_a_plain_content_is_the_same_scenario(name):
    scenario = load_scenario(name)
    assert Scenario.model_validate(plain(scenario)) == scenario


def test_contacts_are_moved_and_worlds_stay_fair():
    world = Avoid().world(3, 0.5)
    ids = movable(world)[:2]
    other = moved(world, ids, [0.5, -0.5, 0.0, 1.0] + [0.0] * 4)
    before, after = world.contacts[0].motion, other.contacts[0].motion
    assert after.position_m == pytest.approx(
        [before.position_m[0] + 40, before.position_m[1] - 40, before.position_m[2]]
    )
    assert after.velocity_mps == pytest.approx([1.1 * one for one in before.velocity_mps], abs=1e-3)
    assert other.contacts[1:] == world.contacts[1:]
    near = with_contacts(passing(-20.0), ["drone-0"])
    assert is_fair(near)
    assert begin_m(near) == pytest.approx(300.6, abs=0.1)
    assert not is_fair(near.model_copy(update={"bot": near.bot.model_copy(update={"position_m": (0.0, 200.0, 0.0)})}))


def test_an_identity_goes_with_its_contact():
    scenario = load_scenario("mixed-traffic")
    assert scenario.identities
    assert with_contacts(scenario, []).identities == {}


def test_simpler_worlds_are_never_larger():
    world = passing(-20.0, 5.0)
    worlds = list(simpler(world))
    assert worlds
    assert all(size_of(one) <= size_of(world) and one != world for one in worlds)


def test_a_failing_world_is_shrunk_to_one_round_contact():
    one = flights()
    (found,) = one.fly([passing(5.0, 5.0, -20.0, 5.0)])
    assert found.fails
    smallest = shrink(one, found, 40)
    assert smallest.fails
    (contact,) = smallest.world.contacts
    assert contact.id == "drone-2"
    assert contact.motion.position_m == (100.0, 300.0, 0.0)
    assert contact.motion.velocity_mps == (0.0, -20.0, 0.0)
    assert smallest.world.seed == 0
    assert smallest.run.seconds < 16.0
    assert smallest.verdict.contact == "drone-2"
    assert one.count <= 42


def test_a_world_that_was_flown_is_not_flown_again():
    one = flights(seconds=1.0)
    first = one.fly([passing(-20.0)])
    assert one.fly([passing(-20.0)]) == first
    assert one.count == 1


def test_the_written_test_passes_until_the_engine_is_mended(tmp_path):
    one = flights()
    criterion = find_criterion(load_criteria(), "NO_HIT")
    one.criterion = criterion
    (found,) = one.fly([replace_name(passing(-40.0, 5.0), criterion)])
    assert found.fails
    path, test = keep(found, criterion, tmp_path / "found", None)
    assert load_scenario(path) == found.world
    spec = importlib.util.spec_from_file_location("found_test", test)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.test_never_closer_than_10_m_to_a_contact()
    module.FAILS = False
    with pytest.raises(AssertionError, match="failed at"):
        module.test_never_closer_than_10_m_to_a_contact()


def replace_name(world, criterion):
    one = flights()
    (found,) = one.fly([world])
    return named(replace(found, world=world), criterion)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(UserError, match=r"no criterion is called 'FAST' \(expected one of: TASK_DONE, NO_HIT"):
        find_criterion(load_criteria(), "FAST")


def test_without_optuna_it_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "qiki_harness.hunt.search", raising=False)
    words = ("hunt", "avoid", "--engine", "none", "--criterion", "NO_HIT", "--out", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["qiki", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "qiki: qiki hunt takes optuna, which is not installed: pip install 'qiki-dtmp[train]'\n"
    )
