"""The engines of a flight, asked in the caller's thread, and what they keep from tick to tick."""

from collections import deque
from collections.abc import Mapping
from copy import copy
from typing import Any

from qiki.agent.engine import Engine, EngineResult, SavingEngine
from qiki.agent.engine_call import ask_engine, describe
from qiki.agent.world import World
from qiki.state import Saved, StateError, Stateful

_CONTAINERS = (list, dict, set, deque)


class InlineEngines(Stateful):
    """An engine pool in the caller's thread: engines are asked in turn, without a budget; never suspends."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines
        self._begun = {name: _fields(engine) for name, engine in engines.items()}

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once."""
        return tuple(ask_engine(name, engine, world) for name, engine in self._engines.items())

    def save_state(self) -> Saved:
        """Return what the engines keep, by name; None for one that keeps nothing.

        Raises:
            StateError: an engine has changed, and has no `save`.
        """
        return {name: self._kept(name, engine) for name, engine in self._engines.items()}

    def restore_state(self, saved: Saved) -> None:
        """Give the engines what they kept."""
        if saved.keys() != self._engines.keys():
            there = ", ".join(self._engines) or "none"
            raise StateError(f"saved with the engines {', '.join(saved) or 'none'} (expected {there})")
        for name, engine in self._engines.items():
            if isinstance(engine, SavingEngine):
                try:
                    engine.load(saved[name])
                except Exception as error:
                    raise StateError(f"{name}: {describe(error)}") from error
            elif saved[name] is not None:
                raise StateError(f"{name}: was saved by an engine with `save` and `load`, which this one has not")

    def _kept(self, name: str, engine: Engine) -> Any:
        if isinstance(engine, SavingEngine):
            return engine.save()
        before, now = self._begun[name], _fields(engine)
        changed = sorted(field for field in before | now if not _same(before.get(field), now.get(field)))
        if changed:
            keeps = f"engine {name} keeps {', '.join(changed)} from tick to tick"
            raise StateError(f"{keeps}: it has to have `save` and `load` (qiki.agent.SavingEngine)")
        return None


def _fields(engine: Engine) -> dict[str, Any]:
    """Return an engine's fields, and copies of its containers."""
    fields = getattr(engine, "__dict__", {})
    return {name: copy(value) if isinstance(value, _CONTAINERS) else value for name, value in fields.items()}


def _same(before: object, now: object) -> bool:
    """Return whether a field has not changed; objects of other types count as the same while they are one object."""
    plain = isinstance(now, (*_CONTAINERS, int, float, str, tuple, frozenset)) and type(now) is type(before)
    return now is before or (plain and bool(now == before))
