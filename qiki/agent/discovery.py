"""Discovery of the installed engines that the settings choose."""

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


def load_engines(chosen: str, bot: BotConfig) -> dict[str, Engine]:
    """Load the chosen engines, sorted by name; `chosen` is names separated by commas, or `all`, or `none`.

    Raises:
        UserError: an engine is not installed, its name is not its own, or it cannot be loaded.
    """
    points = tuple(entry_points(group=GROUP))
    installed = {point.name: point for point in points}
    names = _names(chosen, installed)
    if unknown := sorted(names - installed.keys()):
        there = ", ".join([ALL, NONE, *sorted(installed)])
        raise UserError(f"AGENT_ENGINES: no engine {unknown[0]!r} is installed (expected some of: {there})")
    for name in sorted(names):
        _check_name(name, [point for point in points if point.name == name])
    return {name: _load(installed[name], bot) for name in sorted(names)}


def switched_off(chosen: str) -> list[str]:
    """Return the names of the installed engines that are not chosen; their packages are not imported."""
    installed = {point.name for point in entry_points(group=GROUP)}
    return sorted(installed - _names(chosen, installed))


def _names(chosen: str, installed: Iterable[str]) -> set[str]:
    names = {name.strip() for name in chosen.split(",")} - {""}
    if names == {NONE}:
        return set()
    return set(installed) if names == {ALL} else names


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
    except Exception as error:
        raise UserError(f"engine {point.name!r} ({point.value}) cannot be loaded: {describe(error)}") from error
    if not callable(getattr(engine, "propose", None)):
        raise UserError(f"engine {point.name!r} ({point.value}) has no method `propose`")
    return engine
