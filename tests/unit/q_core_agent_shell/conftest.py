"""A bot, and a world for engines to look at."""

import pytest

from q_core_agent.world import World
from qiki.botspec import DEFAULT_SPEC, generate, load_spec


@pytest.fixture(scope="session")
def bot():
    """The configuration of the platform's own bot."""
    return generate(load_spec(DEFAULT_SPEC))


@pytest.fixture
def world():
    """One in which nothing is known."""
    return World(tick=1)
