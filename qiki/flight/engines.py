"""The engines of a flight, asked in the caller's thread, and what they keep from tick to tick."""

import pickle
from collections.abc import Mapping
from typing import Any

from qiki.agent.engine import Engine, EngineResult, SavingEngine
from qiki.agent.engine_call import ask_engine, describe
from qiki.agent.world import World
from qiki.state import Saved, StateError, Stateful


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
            StateError: an engine has no `save`, and its fields have changed, or cannot be compared.
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
            keeps = f"engine {name} may keep {', '.join(changed)} from tick to tick"
            raise StateError(f"{keeps}: it has to have `save` and `load` (qiki.agent.SavingEngine)")
        return None


def _fields(engine: Engine) -> dict[str, bytes | None]:
    """Return an engine's fields, frozen; None for one that cannot be."""
    slots = (name for kind in type(engine).__mro__ for name in getattr(kind, "__slots__", ()))
    fields = {name: getattr(engine, name) for name in slots if hasattr(engine, name)}
    return {name: _frozen(value) for name, value in (fields | getattr(engine, "__dict__", {})).items()}


def _frozen(value: object) -> bytes | None:
    try:
        return pickle.dumps(value)
    except Exception:  # whatever an engine's objects raise
        return None


def _same(before: bytes | None, now: bytes | None) -> bool:
    return before is not None and before == now
