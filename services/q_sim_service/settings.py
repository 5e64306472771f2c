"""Settings of the simulator."""

from pathlib import Path
from uuid import UUID

from qiki.radar.model import SR_THRESHOLD_M
from qiki.runtime.settings import Address, ServiceSettings, Text, number, whole
from qiki.world.simulator import MAX_SPEED


class SimulatorSettings(ServiceSettings):
    """Each field is the environment variable of its name in capitals."""

    qsim_listen: Address = "127.0.0.1:50051"
    qiki_run_id: UUID | None = None
    qiki_state_dir: Path | None = None
    """Folder of the count of runs of a given id, and of the run that a killed simulator goes on with.

    None: neither, and a restarted simulator takes the id again.
    """
    qiki_scenario: Text = "mixed-traffic"
    qiki_bot_spec: Path | None = None  # None: the specification that comes with the platform
    qiki_seed: int | None = whole(None, 0, 2**63 - 1)
    qiki_speed: float = number(1.0, 0.001, MAX_SPEED)
    qiki_autostart: bool = True
    radar_sr_threshold_m: float = number(SR_THRESHOLD_M, 1, 1e7)
    telemetry_interval_sec: float = number(1.0, 0.01, 3600)
