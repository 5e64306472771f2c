"""Short sweeps for the tests of what takes an extra."""

import pytest

from qiki_harness.sweeps.plan import SweepSpec, plan


@pytest.fixture
def sweep_of():
    """Return a sweep of short runs."""

    def make(**chosen):
        return plan(SweepSpec(**{"task": "avoid", "seeds": 6, "seconds": 4.0, **chosen}))

    return make
