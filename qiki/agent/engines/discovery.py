"""Which engines run: those of the installed distributions that the settings name."""

from importlib.metadata import EntryPoint, entry_points

from qiki.agent.engine import GROUP, Engine, EngineFactory
from qiki.agent.engines.text import describe
from qiki.agent.mode import rules
from qiki.botspec.config import BotConfig
from qiki.errors import UserError

ALL = "all"
NONE = "none"
RESERVED = (ALL, NONE, rules.NAME)


def load_engines(chosen: str, bot: BotConfig) -> dict[str, Engine]:
    """The engines by name, in the order of their names.

    Args:
        chosen: names with commas between, or `all`, or `none`
        bot: what each is made for

    Raises:
        UserError: there is no such engine, its name is taken, or it cannot be made.
    """
    points = tuple(entry_points(group=GROUP))
    installed = {point.name: point for point in points}
    names = set(installed) if chosen.strip() == ALL else _names(chosen)
    if unknown := sorted(names - installed.keys()):
        there = ", ".join([ALL, NONE, *sorted(installed)])
        raise UserError(f"AGENT_ENGINES: no engine {unknown[0]!r} is installed (expected some of: {there})")
    for name in sorted(names):
        _check_name(name, [point for point in points if point.name == name])
    return {name: _made(installed[name], bot) for name in sorted(names)}


def _names(chosen: str) -> set[str]:
    names = {name.strip() for name in chosen.split(",")} - {""}
    return set() if names == {NONE} else names


def _check_name(name: str, points: list[EntryPoint]) -> None:
    """An engine goes by its name everywhere: it must be one engine's, and nobody else's.

    Raises:
        UserError: it is not.
    """
    givers = " and ".join(sorted(f"{point.dist.name if point.dist else '?'} ({point.value})" for point in points))
    if name in RESERVED:
        raise UserError(f"engine {name!r} of {givers}: the name is reserved (expected none of: {', '.join(RESERVED)})")
    if len(points) > 1:
        raise UserError(f"engine {name!r} is given by {givers} (expected one of them)")


def _made(point: EntryPoint, bot: BotConfig) -> Engine:
    try:
        factory: EngineFactory = point.load()
        engine = factory(bot)
    except Exception as error:
        raise UserError(f"engine {point.name!r} ({point.value}) cannot be loaded: {describe(error)}") from error
    if not callable(getattr(engine, "propose", None)):
        raise UserError(f"engine {point.name!r} ({point.value}) has no method `propose`")
    return engine
