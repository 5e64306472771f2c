"""Which engines run: those of the installed distributions that the settings name."""

from importlib.metadata import EntryPoint, entry_points
from traceback import format_exception_only

from q_core_agent.engine import GROUP, Engine, EngineFactory
from qiki.botspec.config import BotConfig
from qiki.errors import UserError

ALL = "all"
NONE = "none"


def load_engines(chosen: str, bot: BotConfig) -> dict[str, Engine]:
    """The engines by name, in the order of their names.

    Args:
        chosen: names with commas between, or `all`, or `none`
        bot: what each is made for

    Raises:
        UserError: there is no such engine, or one cannot be made.
    """
    installed = {point.name: point for point in entry_points(group=GROUP)}
    names = set(installed) if chosen.strip() == ALL else _names(chosen)
    if unknown := sorted(names - installed.keys()):
        there = ", ".join([ALL, NONE, *sorted(installed)])
        raise UserError(f"AGENT_ENGINES: no engine {unknown[0]!r} is installed (expected some of: {there})")
    return {name: _made(installed[name], bot) for name in sorted(names)}


def _names(chosen: str) -> set[str]:
    names = {name.strip() for name in chosen.split(",")} - {""}
    return set() if names == {NONE} else names


def _made(point: EntryPoint, bot: BotConfig) -> Engine:
    try:
        factory: EngineFactory = point.load()
        engine = factory(bot)
    except Exception as error:
        raise UserError(f"engine {point.name!r} ({point.value}) cannot be loaded: {describe(error)}") from error
    if not callable(getattr(engine, "propose", None)):
        raise UserError(f"engine {point.name!r} ({point.value}) has no method `propose`")
    return engine


def describe(error: BaseException) -> str:
    """An exception in one line; also one that cannot say what it is about."""
    return " ".join("".join(format_exception_only(error)).split())
