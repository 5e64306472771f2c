"""Entry point: `python -m q_core_agent`."""

import qiki.runtime.lean  # noqa: F401 - for what it does

from q_core_agent.app import main
from q_core_agent.settings import AgentSettings
from qiki.runtime.service import run_service

if __name__ == "__main__":
    run_service("q-core-agent", AgentSettings, main)
