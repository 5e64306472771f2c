"""The agent's settings: its tick, its engines and their budget, the least staleness limit, lockstep."""

from pathlib import Path

from pydantic import AliasChoices, Field

from qiki.agent.discovery import NONE
from qiki.runtime.settings import Address, ServiceSettings, Text, number, whole


class AgentSettings(ServiceSettings):
    """Each field is the environment variable of its name in capitals."""

    qiki_keys_dir: Path | None = Field(
        default=None, validation_alias=AliasChoices("QIKI_DEV_KEYS_DIR", "QIKI_KEYS_DIR")
    )
    """In the workspace the second one is the tests'."""
    qsim_grpc: Address = "127.0.0.1:50051"
    qiki_bot_spec: Path | None = None
    """None: the platform's own specification; it must be the same as the simulator's."""
    agent_tick_sec: float = number(0.2, 0.01, 60)
    agent_engines: Text = NONE
    """Engines run by name: installing a package switches nothing on."""
    agent_engine_budget_sec: float = number(0.1, 0.001, 60)
    agent_bios_interval_sec: float = number(5.0, 0.1, 3600)
    agent_confidence_threshold: float = number(0.6, 0, 1)
    agent_stale_min_sec: float = number(1.0, 0.01, 3600)
    agent_lockstep_ticks: int = whole(0, 0, 1_000_000)
    """0: live, by the wall clock."""
