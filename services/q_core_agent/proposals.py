"""Old name of `qiki.agent`, to be removed with the next release."""

import warnings

from qiki.agent.proposals import *  # noqa: F403

warnings.warn("q_core_agent.proposals has moved: import from qiki.agent", DeprecationWarning, stacklevel=2)
