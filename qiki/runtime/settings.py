"""Settings: frozen values, read once from the environment; wrong ones are reported in one line.

Every number has a lower and an upper bound, and every text a form.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from qiki.errors import UserError


class SettingsError(UserError):
    """An environment variable that cannot be used."""


HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.%]{2,80}\]")
MAX_TEXT = 4096


def _host(text: str) -> str:
    if not HOST.fullmatch(text):
        raise ValueError("expected a host name or an address")
    return text


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and HOST.fullmatch(host) and port.isascii() and port.isdigit() and int(port[:6]) < 65_536):
        raise ValueError("expected HOST:PORT")
    return text


def _text(text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError(f"expected at most {MAX_TEXT} printable letters")
    return text


def _url(*schemes: str) -> AfterValidator:
    def check(text: str) -> str:
        scheme, _, address = text.partition("://")
        try:
            _address(address.rpartition("@")[2].rstrip("/"))
            urlsplit(text)  # as the client reads it: it refuses a bracket alone
        except ValueError:
            scheme = ""
        if scheme not in schemes or not text.isprintable():
            raise ValueError(f"expected {schemes[0]}://HOST:PORT")
        return text

    return AfterValidator(check)


Host = Annotated[str, AfterValidator(_host)]
Text = Annotated[str, AfterValidator(_text)]
Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, _url("nats", "tls", "ws", "wss")]


def number(default: float, low: float, high: float) -> Any:
    """Return a field that holds a number from `low` to `high`."""
    return Field(default=default, ge=low, le=high, allow_inf_nan=False)


def whole(default: int | None, low: int, high: int) -> Any:
    """Return a field that holds a whole number from `low` to `high`."""
    return Field(default=default, ge=low, le=high)


def _off_or_a_second(patience_s: float) -> float:
    if 0 < patience_s < 1:
        raise ValueError("expected 0 (off) or 1 to 3600")
    return patience_s


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
    qiki_watchdog_sec: Annotated[float, AfterValidator(_off_or_a_second)] = number(15.0, 0, 3600)
    """0: off."""
    qiki_http_host: Host = "127.0.0.1"
    qiki_http_port: int = whole(0, 0, 65_535)
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
        reasons = [_reason(fault, cls.model_fields.get(str(fault["loc"][0]))) for fault in faults]
        raise SettingsError(f"wrong setting: {'; '.join(reasons)}") from None


def _reason(fault: ErrorDetails, field: FieldInfo | None) -> str:
    variable = ".".join(map(str, fault["loc"])).upper()
    text = fault["msg"].removeprefix("Value error, ").replace("\n", " ")
    if fault["type"] != "value_error" and field is not None and (span := bounds(field)):
        kind = "a whole number" if fault["type"].startswith("int") else "a number"
        text = f"expected {kind} from {span[0]} to {span[1]}"
    return f"{variable}: {text}" + ("" if isinstance(fault["input"], dict) else f", got {_shown(fault['input'])}")


def bounds(field: FieldInfo) -> tuple[str, str] | None:
    """Return the bounds of a field that holds a number; None if it lacks one, or holds none."""
    found = {name: getattr(one, name) for one in field.metadata for name in ("ge", "le") if hasattr(one, name)}
    return (f"{found['ge']:.15g}", f"{found['le']:.15g}") if len(found) == 2 else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
