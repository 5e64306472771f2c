"""Entry point: `python -m q_sim_radar`."""

import qiki.runtime.lean  # noqa: F401 - for what it does

from q_sim_radar.app import main
from q_sim_radar.settings import RadarSettings
from qiki.runtime.service import run_service

if __name__ == "__main__":
    run_service("q-sim-radar", RadarSettings, main)
