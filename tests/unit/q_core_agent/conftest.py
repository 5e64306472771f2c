"""A world for engines to look at."""

import pytest

from qiki.agent.world import World


@pytest.fixture
def world():
    """One in which nothing is known."""
    return World(tick=1)
