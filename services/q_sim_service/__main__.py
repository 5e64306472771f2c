"""python -m q_sim_service."""

from q_sim_service.app import main
from q_sim_service.settings import SimulatorSettings
from qiki.runtime.service import run_service

run_service("q-sim-service", SimulatorSettings, main)
