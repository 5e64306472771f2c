"""Fixtures that the tests of several rooms share."""

import pytest

from qiki.botspec import DEFAULT_SPEC, BotConfig, generate, load_spec


@pytest.fixture(scope="session")
def bot() -> BotConfig:
    """The configuration of the platform's own bot."""
    return generate(load_spec(DEFAULT_SPEC))


BURNER = '''
from qiki.agent import Proposal, fire


class Burner:
    """Fires upwards all the time."""

    def __init__(self, bot):
        pass

    def propose(self, world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]
'''


@pytest.fixture(scope="session")
def engine_file(tmp_path_factory):
    """Write a file with the engine Burner, and further ones that may build on it."""

    def write(more):
        path = tmp_path_factory.mktemp("engines") / "engines.py"
        path.write_text(BURNER + more)
        return path

    return write


@pytest.fixture(scope="session")
def sweep_file():
    """Fly a sweep of short runs in this process into a file; `order` is 1, or -1: the last run first."""
    from qiki_harness.sweeps.plan import SweepSpec, plan  # noqa: PLC0415  # numpy, and with it the cores
    from qiki_harness.sweeps.store import Results  # noqa: PLC0415
    from qiki_harness.sweeps.work import fly  # noqa: PLC0415

    def fly_all(path, order=1, **chosen):
        sweep = plan(SweepSpec(**{"task": "avoid", "seeds": 3, "seconds": 1.0, **chosen}))
        with Results.of_sweep(path, sweep) as results:
            for place, run in list(enumerate(sweep.runs))[::order]:
                results.add(place, run, fly(run, sweep.criteria))
        return path

    return fly_all
