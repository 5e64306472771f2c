"""Sweeps for cards: short runs by engines of a file."""

import pytest

CRASHER = '''
class Crasher(Burner):
    """Fails at once."""

    def propose(self, world):
        raise ValueError("<script>alert(1)</script>")
'''


@pytest.fixture(scope="module")
def engines(engine_file):
    """The file of the engines."""
    return engine_file(CRASHER)


@pytest.fixture(scope="module")
def results_of(tmp_path_factory, sweep_file):
    """Fly a sweep in this process, and return its file."""

    def fly_all(order=1, **chosen):
        return sweep_file(tmp_path_factory.mktemp("sweep") / "results.sqlite", order, **chosen)

    return fly_all


@pytest.fixture(scope="module")
def results(results_of, engines):
    """The file of a sweep of three engines, one of which crashes."""
    return results_of(engines=("none", f"{engines}:Burner", f"{engines}:Crasher"))
