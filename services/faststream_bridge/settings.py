"""Settings of faststream-bridge."""

from pathlib import Path

from qiki.guard import DEFAULT_RULES
from qiki.runtime.settings import ServiceSettings, number


class BridgeSettings(ServiceSettings):
    """Beyond every service's: where the snapshot lies, which rules guard, where short range ends, what is published."""

    qiki_state_dir: Path = Path(".qiki/bridge")
    qiki_guard_rules: Path = DEFAULT_RULES
    radar_sr_threshold_m: float = number(5000.0, 1, 1e7)
    snapshot_interval_sec: float = number(1.0, 0, 3600)
    bridge_estimates: bool = True
    """Publish the whole states of the tracks, for clients that predict."""
    radar_lag_monitor_interval_sec: float = number(5.0, 0.05, 3600)
    radar_lag_threshold_sec: float = number(10.0, 0.05, 86_400)
