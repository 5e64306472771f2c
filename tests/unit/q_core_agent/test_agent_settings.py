"""The agent's settings: what may be set, and one line for what is wrong."""

import pytest

from q_core_agent.settings import AgentSettings
from qiki.runtime.settings import SettingsError, load_settings


def test_defaults(monkeypatch):
    for name in AgentSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    settings = load_settings(AgentSettings)
    assert (settings.agent_tick_sec, settings.agent_lockstep_ticks, settings.agent_engines) == (0.2, 0, "none")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGENT_TICK_SEC", "0"),
        ("AGENT_TICK_SEC", "inf"),
        ("AGENT_ENGINE_BUDGET_SEC", "-1"),
        ("AGENT_BIOS_INTERVAL_SEC", "often"),
        ("AGENT_CONFIDENCE_THRESHOLD", "1.5"),
        ("AGENT_CONFIDENCE_THRESHOLD", "nan"),
        ("AGENT_STALE_MIN_SEC", "0"),
        ("AGENT_LOCKSTEP_TICKS", "-2"),
        ("AGENT_LOCKSTEP_TICKS", "1.5"),
    ],
)
def test_a_wrong_setting_is_named(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^wrong setting: {name}: [^\n]+$"):
        load_settings(AgentSettings)
