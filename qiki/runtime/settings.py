"""Settings: frozen values, read once from the environment; wrong ones are reported in one line."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from qiki.errors import UserError


class SettingsError(UserError):
    """An environment variable that cannot be used."""


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65_536):
        raise ValueError("expected HOST:PORT")
    return text


def _url(*schemes: str) -> AfterValidator:
    def check(text: str) -> str:
        scheme, _, address = text.partition("://")
        try:
            _address(address.rpartition("@")[2].rstrip("/"))
        except ValueError:
            scheme = ""
        if scheme not in schemes:
            raise ValueError(f"expected {schemes[0]}://HOST:PORT")
        return text

    return AfterValidator(check)


Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, _url("nats", "tls", "ws", "wss")]


class ServiceSettings(BaseSettings):
    """Settings of every service. Each field is the environment variable of its name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    nats_url: Url = "nats://127.0.0.1:4222"
    qiki_keys_dir: Path | None = None
    """The service's credentials. Without them it is the viewer, who may publish nothing, or all is open to all."""
    nats_http: Annotated[str, _url("http")] | None = None
    """The broker's monitoring. Without it only unanswered publishes show a full disk."""
    nats_fast_ingest: bool = True
    """Publish in batches where server and stream have them; else each message is acknowledged by itself."""
    qiki_watchdog_sec: float = Field(default=15.0, ge=0, allow_inf_nan=False)
    qiki_http_host: str = "127.0.0.1"
    qiki_http_port: int = Field(default=0, ge=0, lt=65_536)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


S = TypeVar("S", bound=BaseSettings)


def load_settings(cls: type[S]) -> S:
    """Read `cls` from the environment.

    Raises:
        SettingsError: a variable that is missing or wrong; one line for all of them.
    """
    try:
        return cls()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise SettingsError(f"wrong setting: {'; '.join(map(_reason, faults))}") from None


def _reason(fault: ErrorDetails) -> str:
    variable = ".".join(map(str, fault["loc"])).upper()
    text = fault["msg"].removeprefix("Value error, ").replace("\n", " ")
    return f"{variable}: {text}" + ("" if isinstance(fault["input"], dict) else f", got {fault['input']!r}")
