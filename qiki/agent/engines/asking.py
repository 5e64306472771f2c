"""Asking an engine: its checked proposals, or its fault."""

from collections.abc import Mapping
from itertools import islice

from qiki.agent.engine import Engine
from qiki.agent.engines.results import EngineFault, EngineResult, FaultKind
from qiki.agent.engines.text import describe, one_line, trace
from qiki.agent.engines.validation import MAX_PROPOSALS, MalformedError, read_proposals
from qiki.agent.world import World

Caught = tuple[type[BaseException], ...]
RAISED_BY_ENGINES: Caught = (Exception, SystemExit)
"""An engine does not end the process. KeyboardInterrupt is the user's, where the caller's thread asks the engine."""


def ask_engine(name: str, engine: Engine, world: World, caught: Caught = RAISED_BY_ENGINES) -> EngineResult:
    """Have an engine propose, in the caller's thread.

    Args:
        caught: exceptions that are the engine's fault
    """
    try:
        given = tuple(islice(engine.propose(world), MAX_PROPOSALS + 1))  # one too many is enough to refuse all
        return EngineResult(name, read_proposals(given))
    except MalformedError as error:
        fault = EngineFault(FaultKind.FAILED, one_line(str(error)))
    except caught as error:
        fault = EngineFault(FaultKind.FAILED, describe(error), trace(error))
    return EngineResult(name, fault=fault)


class InlineEngines:
    """An engine pool for runs in one process: engines are asked in turn, in the caller's thread, without a budget."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once; never suspends."""
        return tuple(ask_engine(name, engine, world) for name, engine in self._engines.items())
