"""Discovery of the installed engines that the settings choose."""

import os
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from qiki.agent.engine import GROUP, Engine, EngineFactory
from qiki.agent.engine_call import describe
from qiki.agent.mode import rules
from qiki.botspec.config import BotConfig
from qiki.errors import UserError

ALL = "all"
NONE = "none"
RESERVED = (ALL, NONE, rules.NAME)
POLICY, POLICY_FILE = "policy", "AGENT_POLICY"
"""The engine that flies a trained policy, and the variable that names its file."""
LINKED, LINK = "linked", "AGENT_LINK"
"""The engine whose proposals an environment gives, and the variable that names its address and key."""
NEEDED = {POLICY: POLICY_FILE, LINKED: LINK}
"""Engines that are there only where a variable is set, and then without being chosen."""


def load_engines(chosen: str, bot: BotConfig) -> dict[str, Engine]:
    """Load the chosen engines, sorted by name; `chosen` is names separated by commas, or `all`, or `none`.

    Those whose variable is set (`NEEDED`) are loaded too.

    Raises:
        UserError: an engine is not installed, its name is not its own, or it cannot be loaded.
    """
    points = _installed()
    installed = {point.name: point for point in points}
    names = _names(chosen, installed)
    if unset := sorted(name for name in names - installed.keys() if name in NEEDED):
        raise UserError(f"the engine {unset[0]!r} needs the variable {NEEDED[unset[0]]}")
    if unknown := sorted(names - installed.keys()):
        there = ", ".join([ALL, NONE, *sorted(installed)])
        raise UserError(f"AGENT_ENGINES: no engine {unknown[0]!r} is installed (expected some of: {there})")
    for name in sorted(names):
        _check_name(name, [point for point in points if point.name == name])
    return {name: _load(installed[name], bot) for name in sorted(names)}


def switched_off(chosen: str) -> list[str]:
    """Return the names of the installed engines that are not chosen; their packages are not imported."""
    installed = {point.name for point in _installed()}
    return sorted(installed - _names(chosen, installed))


def _installed() -> tuple[EntryPoint, ...]:
    return tuple(
        point for point in entry_points(group=GROUP) if point.name not in NEEDED or os.environ.get(NEEDED[point.name])
    )


def _names(chosen: str, installed: Iterable[str]) -> set[str]:
    names = {name.strip() for name in chosen.split(",")} - {""}
    if names == {ALL}:
        return set(installed)
    return (set() if names == {NONE} else names) | (NEEDED.keys() & set(installed))


def _check_name(name: str, points: list[EntryPoint]) -> None:
    """Raise UserError for a name that is reserved or that several engines have."""
    givers = " and ".join(sorted(f"{point.dist.name if point.dist else '?'} ({point.value})" for point in points))
    if name in RESERVED:
        raise UserError(f"engine {name!r} of {givers}: the name is reserved (expected none of: {', '.join(RESERVED)})")
    if len(points) > 1:
        raise UserError(f"engine {name!r} is given by {givers} (expected one of them)")


def _load(point: EntryPoint, bot: BotConfig) -> Engine:
    try:
        factory: EngineFactory = point.load()
        engine = factory(bot)
    except UserError as error:
        raise UserError(f"engine {point.name!r}: {error}") from None
    except Exception as error:
        raise UserError(f"engine {point.name!r} ({point.value}) cannot be loaded: {describe(error)}") from error
    if not callable(getattr(engine, "propose", None)):
        raise UserError(f"engine {point.name!r} ({point.value}) has no method `propose`")
    return engine
