"""Settings that exclude each other are told before the server is asked."""

import pytest

from nats_js_init.settings import InitSettings
from qiki.runtime.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch):
    """The workspace has the settings of its stack."""
    for name in InitSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("stream", ["RADAR", "EVENTS"])
def test_duplicates_are_not_looked_for_longer_than_messages_are_kept(monkeypatch: pytest.MonkeyPatch, stream: str):
    monkeypatch.setenv(f"{stream}_MAX_AGE_SEC", "60")
    with pytest.raises(SettingsError) as error:
        load_settings(InitSettings)
    assert str(error.value) == (
        f"wrong setting: {stream}_DUPLICATE_WINDOW_SEC: expected at most {stream}_MAX_AGE_SEC, which is 60, got 120.0"
    )
    monkeypatch.setenv(f"{stream}_DUPLICATE_WINDOW_SEC", "60")
    assert load_settings(InitSettings)


def test_a_wrong_age_is_reported_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RADAR_MAX_AGE_SEC", "soon")
    with pytest.raises(SettingsError, match=r"wrong setting: RADAR_MAX_AGE_SEC: [^;]*$"):
        load_settings(InitSettings)
