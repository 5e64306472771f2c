"""The plan of a sweep: its runs, their keys, and what is refused."""

import json

import pytest
from pydantic import ValidationError

from qiki.errors import UserError
from qiki.tasks import SIZE, Policy
from qiki.yamlfile import load_yaml_model
from qiki_harness.sweeps.plan import SweepSpec, plan

FILE = """
task: avoid
seeds: 3-5
engines: [none]
parameters:
  difficulty: [0.2, 0.8]
  vehicle.propulsion.thrust_n: [100, 400]
seconds: 2
"""


def spec(**chosen):
    return SweepSpec(**{"task": "avoid", "seeds": 1, **chosen})


def test_each_value_is_flown_with_each(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(FILE)
    runs = plan(load_yaml_model(path, SweepSpec)).runs
    assert len(runs) == len({run.key for run in runs}) == 3 * 4
    assert {run.seed for run in runs} == {3, 4, 5}
    assert {json.dumps(run.settings) for run in runs} == {
        json.dumps([["difficulty", d], ["vehicle.propulsion.thrust_n", n]]) for d in (0.2, 0.8) for n in (100, 400)
    }


@pytest.mark.parametrize(
    ("given", "seeds"), [(3, (0, 1, 2)), ("3", (0, 1, 2)), ("5-7,1", (5, 6, 7, 1)), ([9, 2], (9, 2))]
)
def test_seeds_are_a_number_a_range_or_a_list(given, seeds):
    assert spec(seeds=given).seeds == seeds


@pytest.mark.parametrize("given", [0, "", "a", "5-1", "1-9999999", -1, [-1], True, []])
def test_other_seeds_are_refused(given):
    with pytest.raises(ValidationError):
        spec(seeds=given)


def test_a_key_is_that_of_the_content(engines):
    def key(**chosen):
        return plan(spec(**chosen)).runs[0].key

    burner = key(engines=(f"{engines}:Burner",))
    copy = engines.with_name("copy") / "engines.py"
    copy.parent.mkdir()
    copy.write_bytes(engines.read_bytes())
    assert key(engines=(f"{copy}:Burner",)) == burner
    assert len({burner, key(), key(seconds=3.0), key(task="inspect"), key(engines=(f"{engines}:Crasher",))}) == 5
    copy.write_text(copy.read_text() + "\n")
    assert key(engines=(f"{copy}:Burner",)) != burner


def test_a_scenario_takes_the_place_of_drawn_worlds():
    sweep = plan(SweepSpec(scenarios=("crossing", "collision"), seeds=2))
    assert [(run.task, run.world, run.seed) for run in sweep.runs] == [
        ("fly", world, seed) for world in ("crossing", "collision") for seed in (0, 1)
    ]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"task": "dance"}, "no task is called 'dance'"),
        ({"task": ""}, "takes a task or scenarios"),
        ({"task": "fly"}, "name a scenario"),
        ({"engines": ("warp",)}, "no engine 'warp' is installed (expected one of: none"),
        ({"engines": ("none", "none")}, "given twice"),
        ({"engines": ("lost.py:Engine",)}, "lost.py cannot be read: No such file"),
        ({"engines": ("lost.py",)}, "expected FILE.py:CLASS"),
        ({"engines": ("lost.npz",)}, "lost.npz cannot be read"),
        ({"scenarios": ("nowhere",)}, "no scenario is called 'nowhere'"),
        ({"scenarios": ("crossing",), "parameters": {"difficulty": (0.1,)}}, "crossing is a scenario"),
        ({"parameters": {"difficulty": (2,)}}, "expected 0 to 1"),
        ({"parameters": {"vehicle.propulsion.thrust": (2,)}}, "there is no such field (near it: vehicle.propulsion"),
        ({"parameters": {"vehicle.propulsion.thrust_n": ("much",)}}, "thrust_n=much: vehicle.propulsion.thrust_n"),
        ({"parameters": {"agent.lockstep_ticks": (2,)}}, "a sweep does not change it"),
        ({"parameters": {"radar.pulses": (8, 8)}}, "given twice"),
        ({"criteria": "lost.yaml"}, "lost.yaml: cannot be read"),
    ],
)
def test_bad_input_is_one_line(chosen, message):
    with pytest.raises((UserError, ValidationError)) as caught:
        plan(spec(**chosen))
    assert message in str(caught.value)
    if isinstance(caught.value, UserError):
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"), [("Missing", "has no attribute 'Missing'"), ("Mute", "has no method `propose`")]
)
def test_an_engine_that_is_none_is_refused(engines, name, message):
    with pytest.raises(UserError, match=r"engine \S+") as caught:
        plan(spec(engines=(f"{engines}:{name}",)))
    assert message in str(caught.value)


def test_a_policy_of_another_task_or_none_is_refused(tmp_path):
    path = tmp_path / "policy.npz"
    Policy.of("inspect", [([[0.0] * 5] * SIZE, [0.0] * 5)]).save(path)
    with pytest.raises(UserError, match=r"trained for the task 'inspect' \(this sweep flies 'avoid'\)"):
        plan(spec(engines=(str(path),)))
    assert plan(spec(task="inspect", engines=(str(path),))).runs[0].source.name == "policy"
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"policy\.npz: not a policy"):
        plan(spec(engines=(str(path),)))
