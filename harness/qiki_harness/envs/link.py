"""The link between an environment and the agent's process: the agent's worlds one way, proposals the other."""

import os
from collections.abc import Iterable, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection, Listener
from secrets import token_bytes

from qiki.agent import BotConfig, Proposal, World
from qiki.agent.discovery import LINK
from qiki_harness.errors import HarnessError

_LOOPBACK = "127.0.0.1"


class EngineLink:
    """The environment's end: it listens for one engine on a free port of loopback, which proves a random key."""

    def __init__(self) -> None:
        self._key = token_bytes(16)
        self._listener = Listener((_LOOPBACK, 0), authkey=self._key)
        self._engine: Connection[Sequence[Proposal], World] | None = None

    @property
    def variable(self) -> dict[str, str]:
        """The variable that leads an agent's engine here."""
        host, port = self._listener.address
        return {LINK: f"{host}:{port}/{self._key.hex()}"}

    def receive(self, deadline_s: float) -> World:
        """Wait for the world of the agent's next tick.

        Raises:
            HarnessError: none comes in time, or the agent has ended.
        """
        try:
            if self._engine is None:
                self._engine = self._accept(deadline_s)
            if self._engine.poll(deadline_s):
                return self._engine.recv()
        except (EOFError, OSError) as error:
            raise HarnessError(f"the agent's process has ended ({type(error).__name__})") from None
        raise HarnessError(f"the agent did not ask for an action within {deadline_s:g} s")

    def send(self, proposed: Sequence[Proposal]) -> None:
        """Answer with the proposals of the tick; HarnessError if the agent has ended."""
        if self._engine is None:
            raise HarnessError("the agent has not asked yet")
        try:
            self._engine.send(tuple(proposed))
        except OSError as error:
            raise HarnessError(f"the agent's process has ended ({type(error).__name__})") from None

    def close(self) -> None:
        """Close both ends: an engine that waits fails."""
        if self._engine is not None:
            self._engine.close()
        self._listener.close()

    def _accept(self, deadline_s: float) -> "Connection[Sequence[Proposal], World]":
        # Listener has no deadline of its own; its socket has.
        self._listener._listener._socket.settimeout(deadline_s)  # type: ignore[attr-defined]
        return self._listener.accept()


class LinkedEngine:
    """An engine of the agent whose proposals come over the link; the entry point `linked`."""

    def __init__(self, bot: BotConfig) -> None:  # noqa: ARG002  # the factory of an engine takes it
        address, _, key = os.environ[LINK].partition("/")
        host, _, port = address.rpartition(":")
        self._environment: Connection[World, Sequence[Proposal]] = connection.Client(
            (host, int(port)), authkey=bytes.fromhex(key)
        )

    def propose(self, world: World) -> Iterable[Proposal]:
        """Return the proposals that the environment gives for this world."""
        self._environment.send(world)
        return self._environment.recv()
