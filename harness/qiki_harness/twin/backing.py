"""What stack a twin looks at: one that was started for it, or one that runs already."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from qiki_harness.errors import StackError
from qiki_harness.stack import Stack

NATS_URL, QSIM_GRPC = "NATS_URL", "QSIM_GRPC"


class Backing(Protocol):
    """A stack, as far as a twin needs it."""

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where NATS and the simulator are."""
        ...

    @property
    def stack(self) -> Stack:
        """Its remote control.

        Raises:
            StackError: it is not ours.
        """
        ...

    def situation(self, lines: int) -> list[str]:
        """How its services are, and the last lines of their logs."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


@dataclass(frozen=True)
class OwnStack:
    """A native stack of the twin's own."""

    stack: Stack

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where NATS and the simulator are."""
        return self.stack.info.addresses

    def situation(self, lines: int) -> list[str]:
        """How its services are, and the last lines of their logs."""
        info = self.stack.info
        said = [f"the stack is {info.state}, its run folder {self.stack.folder.path}"]
        said += [f"  {status}" for status in info.services.values()]
        for name in info.services:
            said += [f"  {name} | {line}" for line in self.stack.logs(name, lines)]
        return said

    def close(self) -> None:
        """Stop the stack."""
        self.stack.stop()


@dataclass(frozen=True)
class ForeignStack:
    """A stack that somebody else runs: it can be watched and commanded, not killed."""

    addresses: Mapping[str, str]

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "ForeignStack | None":
        """The running stack that NATS_URL and QSIM_GRPC name, if both are set."""
        if environment.get(NATS_URL) and environment.get(QSIM_GRPC):
            return cls({name: environment[name] for name in (NATS_URL, QSIM_GRPC)})
        return None

    @property
    def stack(self) -> Stack:
        """Nobody's to control from here."""
        raise StackError(
            f"the stack at {self.addresses[NATS_URL]} was not started by this test: "
            "who kills, restarts or reads logs takes `own_twin`"
        )

    def situation(self, lines: int) -> list[str]:  # noqa: ARG002
        """Where it is; no more is known."""
        where = ", ".join(f"{name}={address}" for name, address in self.addresses.items())
        return [f"the stack is not this test's own ({where}): look there for the states and logs of its services"]

    def close(self) -> None:
        """Leave it alone."""
