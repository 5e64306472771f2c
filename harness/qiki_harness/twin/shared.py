"""A native stack that several processes watch: the first one starts it, the last one ends it, also when one dies."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from qiki_harness.errors import StackError
from qiki_harness.stack import Hold, Stack, StackState
from qiki_harness.twin.backing import ForeignStack, OwnStack


@dataclass(frozen=True)
class SharedStack(ForeignStack):
    """A share in a stack; a process holds it from `join` to `leave`."""

    shared: Stack
    hold: Hold

    @classmethod
    def join(cls, folder: Path, start: Callable[[Path], Stack]) -> Self:
        """Hold the stack in a folder that all sharers know; `start` brings it up where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / "join.lock"):
            with suppress(StackError):
                return cls._of(Stack(folder / "stack"))
            with suppress(StackError):
                Stack(folder / "stack").wait_ended(60.0)  # its last holder has left just now
            stack = start(folder / "stack")
            share = cls._of(stack)
            stack.release()  # what held it till here is this process's input pipe
            return share

    @classmethod
    def _of(cls, stack: Stack) -> Self:
        if stack.info.state is not StackState.UP:
            raise StackError("the stack is not up")
        return cls(stack.info.addresses, stack, stack.hold())

    def leave(self) -> None:
        """Leave the stack; the last one to leave waits until nothing of it is left."""
        if self.hold.leave():
            self.shared.wait_ended(60.0)

    def http_url(self, service: str) -> str:
        """Return where a service serves its health and metrics."""
        return self.shared.info.http_url(service)

    def situation(self, lines: int) -> list[str]:
        """Return how its services are, and the last lines of their logs."""
        return OwnStack(self.shared).situation(lines)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
