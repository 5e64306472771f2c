"""Settings of faststream-bridge."""

from pathlib import Path

from pydantic import Field

from qiki.guard import DEFAULT_RULES
from qiki.runtime.settings import ServiceSettings


class BridgeSettings(ServiceSettings):
    """Beyond every service's: where the snapshot lies, which rules guard, where short range ends, what is published."""

    qiki_state_dir: Path = Path(".qiki/bridge")
    qiki_guard_rules: Path = DEFAULT_RULES
    radar_sr_threshold_m: float = Field(default=5000.0, gt=0)
    snapshot_interval_sec: float = Field(default=1.0, ge=0)
    bridge_estimates: bool = True
    """Publish the whole states of the tracks, for clients that predict."""
    radar_lag_monitor_interval_sec: float = Field(default=5.0, gt=0)
    radar_lag_threshold_sec: float = Field(default=10.0, gt=0)
