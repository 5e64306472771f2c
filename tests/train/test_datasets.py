"""A sweep as a data set of Minari: the episodes are the flown runs."""

import sys

import numpy as np
import pytest

from qiki.tasks import ACTIONS, SIZE, Policy
from qiki_harness.cli import main
from qiki_harness.sweeps.store import Results
from qiki_harness.sweeps.work import fly

minari = pytest.importorskip("minari", reason="Minari is not installed: tox -e train")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Minari's own

BURNER = """
from qiki.agent import Proposal, fire


class Burner:
    def __init__(self, bot):
        pass

    def propose(self, world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]
"""


@pytest.fixture
def policy(tmp_path):
    """The file of a policy that thrusts by what it sees."""
    weights = np.random.default_rng(0).normal(0.0, 0.3, (SIZE, len(ACTIONS)))
    path = tmp_path / "policy.npz"
    Policy.of("avoid", [(weights, np.zeros(len(ACTIONS)))]).save(path)
    return path


@pytest.fixture
def results_of(tmp_path, sweep_of):
    """Fly a sweep in this process, and return its file."""

    def fly_all(**chosen):
        sweep = sweep_of(**{"seeds": 2, "seconds": 2.0, **chosen})
        path = tmp_path / "results.sqlite"
        with Results.of_sweep(path, sweep) as results:
            for place, run in enumerate(sweep.runs):
                results.add(place, run, fly(run, sweep.criteria))
        return path

    return fly_all


@pytest.fixture
def export(monkeypatch, capsys, tmp_path):
    """Runs `qiki sweep export`; gives status, output and complaint."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["qiki", "sweep", "export", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def test_the_runs_of_policies_become_episodes(export, results_of, policy, tmp_path):
    engine = tmp_path / "burner.py"
    engine.write_text(BURNER)
    path = results_of(engines=("none", str(policy), f"{engine}:Burner"), parameters={"difficulty": (0.3,)})
    status, out, err = export(path, "--minari", "qiki/avoid-v0")
    assert (status, err) == (0, "")
    assert out == "qiki/avoid-v0: 4 episodes; 2 left out, whose engines do not propose by five numbers\n"
    dataset = minari.load_dataset("qiki/avoid-v0")
    with Results.read(path) as results:
        rows = [row for row in results.rows() if "Burner" not in row.engine]
    for row, episode in zip(rows, dataset.iterate_episodes(), strict=True):
        assert episode.observations.shape == (21, SIZE)
        assert episode.actions.shape == (20, len(ACTIONS))
        assert sum(episode.rewards.tolist()) == row.result.score
        assert (episode.truncations[-1], episode.terminations.any()) == (True, False)
        assert np.any(episode.actions != 0) == (row.engine != "none")
    env = dataset.recover_environment()
    observation, _ = env.reset(seed=0)
    assert np.array_equal(observation, dataset[0].observations[0])


def test_proposals_that_are_not_five_numbers_are_refused(export, results_of, tmp_path):
    engine = tmp_path / "burner.py"
    engine.write_text(BURNER)
    path = results_of(engines=(f"{engine}:Burner",), seeds=1)
    status, out, err = export(path, "--minari", "qiki/avoid-v0")
    assert (status, out) == (2, "")
    assert err.endswith("no run was flown by a policy: other proposals are not 5 numbers\n")


def test_a_data_set_is_not_overwritten(export, results_of):
    path = results_of(seeds=1, seconds=0.5)
    assert export(path, "--minari", "qiki/avoid-v0")[0] == 0
    status, _, err = export(path, "--minari", "qiki/avoid-v0")
    assert (status, err.count("\n")) == (2, 1)
    assert "Minari refuses qiki/avoid-v0: " in err
