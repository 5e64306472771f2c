"""Settings: a wrong one is named in one line by its variable."""

import pytest
from pydantic import Field, ValidationError

from qiki.errors import UserError
from qiki.runtime.settings import Address, ServiceSettings, SettingsError, load_settings


class Example(ServiceSettings):
    qsim_grpc: Address = "127.0.0.1:50051"
    frames: int = Field(default=3, gt=0)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NATS_URL", "QIKI_HTTP_HOST", "QIKI_HTTP_PORT", "LOG_LEVEL", "QSIM_GRPC", "FRAMES"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_stand_without_variables():
    settings = load_settings(Example)
    assert (settings.nats_url, settings.qiki_http_port, settings.log_level) == ("nats://127.0.0.1:4222", 0, "INFO")


def test_variables_bear_the_names_of_the_fields(monkeypatch: pytest.MonkeyPatch):
    for name, value in {"NATS_URL": "nats://me:secret@nats:4333", "QSIM_GRPC": "sim:1", "FRAMES": "7"}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(Example)
    assert (settings.nats_url, settings.qsim_grpc, settings.frames) == ("nats://me:secret@nats:4333", "sim:1", 7)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FRAMES", "")
    assert load_settings(Example).frames == 3


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FRAMES", "0", "FRAMES: Input should be greater than 0, got '0'"),
        ("FRAMES", "many", "FRAMES: Input should be a valid integer, unable to parse string as an integer, got 'many'"),
        ("QIKI_HTTP_PORT", "65536", "QIKI_HTTP_PORT: expected a number from 0 to 65535, got '65536'"),
        ("QIKI_HTTP_PORT", "x", "QIKI_HTTP_PORT: expected a whole number from 0 to 65535, got 'x'"),
        ("QIKI_HTTP_HOST", "no host", "QIKI_HTTP_HOST: expected a host name or an address, got 'no host'"),
        ("NATS_URL", "nats://a b:1", "NATS_URL: expected nats://HOST:PORT, got 'nats://a b:1'"),
        ("QIKI_WATCHDOG_SEC", "1e-9", "QIKI_WATCHDOG_SEC: expected 0 (off) or 1 to 3600, got '1e-9'"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR', got 'LOUD'"),
        ("QSIM_GRPC", "sim", "QSIM_GRPC: expected HOST:PORT, got 'sim'"),
        ("QSIM_GRPC", ":50051", "QSIM_GRPC: expected HOST:PORT, got ':50051'"),
        ("QSIM_GRPC", "sim:65536", "QSIM_GRPC: expected HOST:PORT, got 'sim:65536'"),
        ("QSIM_GRPC", "sim:-1", "QSIM_GRPC: expected HOST:PORT, got 'sim:-1'"),
        ("NATS_URL", "http://nats:4222", "NATS_URL: expected nats://HOST:PORT, got 'http://nats:4222'"),
        ("NATS_URL", "nats:4222", "NATS_URL: expected nats://HOST:PORT, got 'nats:4222'"),
        ("NATS_URL", "nats://nats:port", "NATS_URL: expected nats://HOST:PORT, got 'nats://nats:port'"),
        ("NATS_URL", "nats://nats:99999", "NATS_URL: expected nats://HOST:PORT, got 'nats://nats:99999'"),
        ("NATS_HTTP", "nats:8222", "NATS_HTTP: expected http://HOST:PORT, got 'nats:8222'"),
        ("QIKI_WATCHDOG_SEC", "-1", "QIKI_WATCHDOG_SEC: expected a number from 0 to 3600, got '-1'"),
        ("NATS_URL", "nats://:4222", "NATS_URL: expected nats://HOST:PORT, got 'nats://:4222'"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(Example)
    assert str(caught.value) == f"wrong setting: {said}"
    assert isinstance(caught.value, UserError)


def test_all_wrong_variables_stand_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FRAMES", "0")
    monkeypatch.setenv("QSIM_GRPC", "sim\n:")
    with pytest.raises(SettingsError) as caught:
        load_settings(Example)
    assert "FRAMES: " in str(caught.value)
    assert "QSIM_GRPC: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings(Example).frames = 5
