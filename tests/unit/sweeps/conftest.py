"""Engines of the sweeps' tests, as files."""

from pathlib import Path

import pytest

from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.store import Results
from qiki_harness.sweeps.work import fly

ENGINES = '''
import os
from pathlib import Path
from qiki.agent import Proposal, fire


class Burner:
    """Fires upwards all the time."""

    def __init__(self, bot):
        pass

    def propose(self, world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]


class Crasher(Burner):
    """Fails from its tenth tick on."""

    ticks = 0

    def propose(self, world):
        self.ticks += 1
        if self.ticks > 9:
            raise ValueError(f"tick {self.ticks} is too much")
        return super().propose(world)


class Killer(Burner):
    """Ends its process, always in the world of seed 1, once in the world of seed 2."""

    def propose(self, world):
        once = Path(__file__).with_name("died")
        if world.run_id == "RUN1":
            os._exit(9)
        if world.run_id == "RUN2" and not once.exists():
            once.touch()
            os._exit(9)
        return ()


class Sleeper(Burner):
    """Never returns."""

    def propose(self, world):
        while True:
            pass


class Mute:
    def __init__(self, bot):
        pass
'''


@pytest.fixture
def engines(tmp_path):
    """The file of the engines."""
    path = tmp_path / "engines.py"
    path.write_text(ENGINES)
    return path


@pytest.fixture
def flown(tmp_path):
    """Fly a sweep of short runs in this process, and return its file."""

    def fly_all(name="results.sqlite", **chosen):
        sweep = plan(SweepSpec(**{"task": "avoid", "seeds": 2, "seconds": 1.0, **chosen}))
        path: Path = tmp_path / name
        with Results.of_sweep(path, sweep) as results:
            for place, run in enumerate(sweep.runs):
                results.add(place, run, fly(run, sweep.criteria))
        return path

    return fly_all
