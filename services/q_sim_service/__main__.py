"""python -m q_sim_service."""

import qiki.runtime.lean  # noqa: F401 - for what it does

from q_sim_service.app import main
from q_sim_service.settings import SimulatorSettings
from qiki.runtime.service import run_service

run_service("q-sim-service", SimulatorSettings, main)
