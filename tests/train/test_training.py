"""Training as its user does it, and the window of an environment."""

import re
import subprocess

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from qiki.envs import TwinEnv
from qiki.tasks import Policy
from qiki_harness.cli.options import QIKI
from qiki_harness.training import START, evolve, tied_policy
from qiki_harness.training.evolve import flown, score

UNSEEN = range(40, 46)


def command(*words, **options):
    return subprocess.run([*QIKI, *map(str, words)], capture_output=True, text=True, check=False, **options)


def test_gymnasiums_check_passes_with_both_ways_to_render(monkeypatch):
    pytest.importorskip("pygame", reason="pygame is not installed: tox -e train")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    check_env(gymnasium.make("qiki/Avoid-v0", render_mode="human").unwrapped)


def test_the_number_of_workers_changes_nothing():
    few = {"generations": 2, "candidates": 4, "seeds": 1, "difficulty": 0.2}
    assert list(evolve("avoid", workers=1, **few)) == list(evolve("avoid", workers=2, **few))


@pytest.mark.timeout(600)
def test_training_makes_a_policy_that_is_better_than_its_begin_on_unseen_worlds(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: tox -e train")
    out, picture = tmp_path / "policy.npz", tmp_path / "curve.svg"
    done = command("train", "avoid", "--generations", 5, "--seeds", 3, "--out", out, "--picture", picture)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^ +\d+ +-?\d", done.stdout, re.MULTILINE)) == 5
    assert picture.read_text().lstrip().startswith("<?xml")
    policy = Policy.read(out)
    assert "CMA-ES, 5 generations" in policy.about
    assert np.mean([flown(policy, seed, 1.0) for seed in UNSEEN]) > np.mean([begin(seed) for seed in UNSEEN]) + 5.0


def begin(seed):
    """The score of the policy that the search begins with."""
    return score(("avoid", START, seed, 1.0))


def test_the_tied_policy_heeds_tracks_by_its_push():
    env = TwinEnv("avoid", difficulty=1.0, perception="truth")
    observation, _ = env.reset(seed=1)
    without, with_push = (tied_policy("avoid", (*START[:4], push, *START[5:])) for push in (0.0, 2.0))
    assert not np.allclose(without.act(observation), with_push.act(observation))


def test_a_wrong_word_is_one_line(tmp_path):
    done = command("train", "dance", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "qiki: no task is called 'dance' (expected one of: avoid, rendezvous, inspect, fly)"
    )
