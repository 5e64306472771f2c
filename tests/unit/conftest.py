"""What the tests of several rooms share."""

import pytest

from qiki.botspec import DEFAULT_SPEC, BotConfig, generate, load_spec


@pytest.fixture(scope="session")
def bot() -> BotConfig:
    """The configuration of the platform's own bot."""
    return generate(load_spec(DEFAULT_SPEC))
