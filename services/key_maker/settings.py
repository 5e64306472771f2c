"""Settings: a folder for each identity of the table, and those of the keyring and the broker."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, create_model
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from qiki.contracts.identities import IDENTITIES, OPERATOR, SERVICES, TESTS
from qiki.runtime.identities.broker import PageAccess
from qiki.runtime.identities.keyring import LOCAL
from qiki.runtime.identities.pages import CONFIGURATION
from qiki.runtime.settings import Url, whole

HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
ORIGIN = re.compile(rf"https?://(?:{HOST.pattern}|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
HANDED_OUT = (*SERVICES, TESTS, OPERATOR)
"""Identities whose credentials go into a folder of their own; the others' stay in the keyring."""


def _hosts(text: object) -> tuple[str, ...]:
    hosts = tuple(text.split()) if isinstance(text, str) else ()
    if wrong := [host for host in hosts if not HOST.fullmatch(host)]:
        raise ValueError(f"{wrong[0]!r} is no host name or address (expected several with blanks between them)")
    return hosts


def _origins(text: object) -> tuple[str, ...]:
    origins = tuple(text.split()) if isinstance(text, str) else ()
    if wrong := [origin for origin in origins if not ORIGIN.fullmatch(origin)]:
        raise ValueError(f"{wrong[0]!r} is no origin such as https://twin.example (expected several with blanks)")
    return origins


class _Base(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    nats_url: Url | None = None
    """Of a broker that may run already."""
    keyring_dir: Path
    broker_keys_dir: Path
    nats_configuration: Path = Path("services/nats/nats.conf")
    qiki_tls_ca_dir: Path
    qiki_tls_names: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = ()
    """Names and addresses by which other machines reach the stack, with blanks between them."""
    qiki_pages_dir: Path
    """Folder of the operators' pages: their links, and their users of the broker."""
    qiki_console_port: int = whole(8088, 1, 65_535)
    qiki_console_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)] = ()
    """Further addresses that pages may come from, as https://twin.example, with blanks between them."""
    agent_lockstep_ticks: int = whole(0, 0, 1_000_000)


def variable(name: str) -> str:
    """Return the variable that names the folder of an identity, in small letters."""
    return f"{name.replace('-', '_')}_keys_dir"


_Folders = create_model("_Folders", __base__=_Base, **{variable(name): (Path, ...) for name in HANDED_OUT})  # type: ignore[call-overload]


class KeySettings(_Folders):
    """All of them."""

    @property
    def pages(self) -> PageAccess:
        """The way of pages to the broker: with TLS where other machines reach the stack."""
        scheme = "https" if self.qiki_tls_names else "http"
        hosts = (*LOCAL, *self.qiki_tls_names)
        own = (f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.qiki_console_port}" for host in hosts)
        users = self.qiki_pages_dir / CONFIGURATION
        return PageAccess(users, (*own, *self.qiki_console_origins), encrypted=bool(self.qiki_tls_names))

    @property
    def folders(self) -> dict[str, Path]:
        """The folders by identity."""
        names = [one.name for one in IDENTITIES if one.name in HANDED_OUT]
        return {name: getattr(self, variable(name)) for name in names}
