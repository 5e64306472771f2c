"""Engines of the sweeps' tests, as files."""

import pytest

ENGINES = '''
import os
from pathlib import Path


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
def engines(engine_file):
    """The file of the engines."""
    return engine_file(ENGINES)


@pytest.fixture
def flown(tmp_path, sweep_file):
    """Fly a sweep of two runs in this process, and return its file."""

    def fly_all(name="results.sqlite", **chosen):
        return sweep_file(tmp_path / name, **{"seeds": 2, **chosen})

    return fly_all
