"""Old name of `qiki.agent`, to be removed with the next release."""

import warnings

from qiki.agent.world import *  # noqa: F403

warnings.warn("q_core_agent.world has moved: import from qiki.agent", DeprecationWarning, stacklevel=2)
