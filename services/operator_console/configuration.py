"""The page's configuration, as the browser gets it."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from operator_console.settings import SHOWN, ConsoleSettings, Shown, Source
from qiki.shipped import scenario_names
from qiki.yamlfile import load_yaml_model


class Zone(BaseModel):
    """The part of a guard rule that the page draws. The bridge checks the whole."""

    id: str
    description: str
    severity: str
    max_range_m: float


class Zones(BaseModel):
    """A file of guard rules."""

    rules: tuple[Zone, ...]


def configuration(settings: ConsoleSettings) -> dict[str, Any]:
    """Return the configuration: the runs that are shown, the guard's zones, the scenarios for a reset.

    Raises:
        UserError: the guard rules cannot be read.
    """
    return {
        "version": version("qiki-dtmp"),
        **shown(settings).model_dump(),
        "guard_rules": load_yaml_model(settings.qiki_guard_rules, Zones).model_dump()["rules"],
        "scenarios": scenario_names(),
    }


def shown(settings: ConsoleSettings) -> Shown:
    """Return the runs that the page shows, each with the address of its broker's listener."""
    scheme = "wss" if settings.qiki_tls_names else "ws"
    own = f"{scheme}://*:{settings.console_ws_port}"
    found = SHOWN.validate_json(settings.console_shown) if settings.console_shown else Shown(sources=(Source(name=""),))
    sources = tuple(one.model_copy(update={"url": one.url or own}) for one in found.sources)
    return found.model_copy(update={"sources": sources})
