"""Sweeps for cards: short runs by engines of a file."""

import pytest

from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.store import Results
from qiki_harness.sweeps.work import fly

ENGINES = '''
from qiki.agent import Proposal, fire


class Burner:
    """Fires upwards all the time."""

    def __init__(self, bot):
        pass

    def propose(self, world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]


class Crasher(Burner):
    """Fails at once."""

    def propose(self, world):
        raise ValueError("<script>alert(1)</script>")
'''


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The file of the engines."""
    path = tmp_path_factory.mktemp("engines") / "engines.py"
    path.write_text(ENGINES)
    return path


@pytest.fixture(scope="module")
def results_of(tmp_path_factory):
    """Fly a sweep in this process, and return its file."""

    def fly_all(order=1, **chosen):
        sweep = plan(SweepSpec(**{"task": "avoid", "seeds": 3, "seconds": 1.0, **chosen}))
        path = tmp_path_factory.mktemp("sweep") / "results.sqlite"
        with Results.of_sweep(path, sweep) as results:
            for place, run in list(enumerate(sweep.runs))[::order]:
                results.add(place, run, fly(run, sweep.criteria))
        return path

    return fly_all


@pytest.fixture(scope="module")
def results(results_of, engines):
    """The file of a sweep of three engines, one of which crashes."""
    return results_of(engines=("none", f"{engines}:Burner", f"{engines}:Crasher"))
