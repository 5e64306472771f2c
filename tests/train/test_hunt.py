"""A hunt: it finds the same failing run again, shrinks it, and says how many runs it took."""

import re
import subprocess
import sys

import pytest

from qiki.world.scenario import load_scenario
from qiki_harness.cli.options import QIKI

pytest.importorskip("optuna", reason="optuna is not installed: tox -e train")
HUNT = (*QIKI, "hunt", "avoid", "--engine", "none", "--seconds", "24", "--workers", "2")


def hunt(*words):
    return subprocess.run([*HUNT, *map(str, words)], capture_output=True, text=True, check=False)


def test_a_hunt_finds_shrinks_and_writes(tmp_path):
    words = ("--criterion", "CLEAR_OF_UNKNOWNS", "--runs", "8", "--shrink-runs", "6")
    done = hunt(*words, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^found in \d+ runs, shrunk in \d+: \d+ contacts to \d contacts?$", done.stdout, re.MULTILINE)
    world = load_scenario(tmp_path / "avoid-clear-of-unknowns-none.yaml")
    assert len(world.contacts) <= 3
    test = tmp_path / "test_avoid_clear_of_unknowns_none.py"
    flown = subprocess.run([sys.executable, "-m", "pytest", "-q", test], capture_output=True, text=True, check=False)
    assert flown.returncode == 0, flown.stdout


def test_the_search_presses_towards_a_failure(tmp_path):
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("criteria:\n- {id: GRAZED, description: never closer than 1 m, min_distance_m: 1}\n")
    done = hunt(
        "--criterion", "GRAZED", "--criteria", criteria, "--runs", "24", "--shrink-runs", "0", "--out", tmp_path
    )
    distances = [float(one) for one in re.findall(r"least (\d+\.\d) m", done.stderr)]
    assert distances == sorted(distances, reverse=True)
    assert len(distances) > 1
    if done.returncode:
        assert done.stdout == "no run of 24 fails: never closer than 1 m\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--criterion", "FAST"), "no criterion is called 'FAST'"),
        (("--criterion", "NO_HIT", "--criteria", "lost.yaml"), "lost.yaml: cannot be read"),
    ],
)
def test_bad_input_is_one_line(tmp_path, words, complaint):
    done = hunt(*words, "--out", tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert complaint in done.stderr
