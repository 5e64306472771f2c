"""Settings of the simulator."""

from pathlib import Path
from uuid import UUID

from pydantic import Field

from qiki.radar.model import SR_THRESHOLD_M
from qiki.runtime.settings import Address, ServiceSettings
from qiki.world.simulator import MAX_SPEED


class SimulatorSettings(ServiceSettings):
    """Each field is the environment variable of its name in capitals."""

    qsim_listen: Address = "127.0.0.1:50051"
    qiki_run_id: UUID | None = None
    qiki_state_dir: Path | None = None
    """Folder of the count of runs of a given id. None: no count, and a restarted simulator takes the id again."""
    qiki_scenario: str = "mixed-traffic"
    qiki_bot_spec: Path | None = None  # None: the specification that comes with the platform
    qiki_seed: int | None = Field(default=None, ge=0, lt=2**63)
    qiki_speed: float = Field(default=1.0, gt=0, le=MAX_SPEED, allow_inf_nan=False)
    qiki_autostart: bool = True
    radar_sr_threshold_m: float = Field(default=SR_THRESHOLD_M, gt=0, allow_inf_nan=False)
    telemetry_interval_sec: float = Field(default=1.0, gt=0, allow_inf_nan=False)
