"""Settings of the operator's page."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from qiki.runtime.settings import Address, ServiceSettings, Text, number, whole
from qiki.shipped import DEFAULT_RULES


class Source(BaseModel):
    """A broker that the page shows a run of.

    Attributes:
        url: of its WebSocket listener, a host `*` is the one that the page came from; None: the stack's own
        played: a recording is played there
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    url: str | None = None
    played: bool = False


class Divergence(BaseModel):
    """The first frame at which two recordings differ, and the difference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: int
    text: str


class Shown(BaseModel):
    """The runs that are shown, instead of the stack's own: one recording, or two side by side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Source, ...]
    divergence: Divergence | None = None


SHOWN = TypeAdapter(Shown)


def _shown(text: str) -> str:
    try:
        SHOWN.validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise ValueError(f"expected the runs to show as JSON; {where or 'text'}: {fault['msg']}") from None
    return text


class ConsoleSettings(ServiceSettings):
    """Beyond every service's: where it listens, and what it shows.

    `console_shown`: `Shown` as JSON; None: the stack's own run. The own broker's listener is at `console_ws_port`.
    `qiki_tls_names`: not empty: pages and the broker's listener are reached with TLS only.
    """

    console_listen: Address = "127.0.0.1:8088"
    console_ws_port: int = whole(9222, 1, 65_535)
    console_session_sec: float = number(14_400, 10, 30 * 86_400)
    console_shown: Annotated[Text, AfterValidator(_shown)] | None = None
    qiki_pages_dir: Path = Path(".qiki/pages")
    qiki_tls_names: Text = ""
    qiki_guard_rules: Path = DEFAULT_RULES
