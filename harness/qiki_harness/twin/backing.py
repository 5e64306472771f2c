"""The stack of a twin: one that was started for it, or one that runs already."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from qiki_harness.errors import StackError
from qiki_harness.stack import Stack

NATS_URL, QSIM_GRPC, BRIDGE_HTTP = "NATS_URL", "QSIM_GRPC", "BRIDGE_HTTP"
QSIM_TLS = "QSIM_TLS"
"""Set where the simulator demands TLS though its address is loopback: an engine publishes a container's port there."""
TESTS_KEYS, OWN_KEYS = "TESTS_KEYS_DIR", "QIKI_KEYS_DIR"
BRIDGE = "faststream-bridge"


@dataclass(frozen=True)
class OwnStack:
    """A native stack of the twin's own."""

    stack: Stack

    @property
    def addresses(self) -> Mapping[str, str]:
        """By the variables that name them."""
        return self.stack.info.addresses

    def http_url(self, service: str) -> str:
        """Return where a service serves its health and metrics."""
        return self.stack.info.http_url(service)

    def situation(self, lines: int) -> list[str]:
        """Return how its services are, and the last lines of their logs."""
        info = self.stack.info
        states = [f"  {status}" for status in info.services.values()]
        logs = [f"  {name} | {line}" for name in info.services for line in self.stack.logs(name, lines)]
        return [f"the stack is {info.state}, its run folder {self.stack.folder.path}", *states, *logs]

    def close(self) -> None:
        """Stop the stack."""
        self.stack.stop()


@dataclass(frozen=True)
class ForeignStack:
    """A stack that the test has not started: it can be watched and commanded, not killed."""

    addresses: Mapping[str, str]  # by the variables that name them; that of the bridge's HTTP server is optional

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> "ForeignStack | None":
        """Return the running stack that NATS_URL and QSIM_GRPC name, if both are set."""
        names = (NATS_URL, QSIM_GRPC, BRIDGE_HTTP, TESTS_KEYS, OWN_KEYS, QSIM_TLS)
        given = {name: environment[name] for name in names if environment.get(name)}
        return cls(given) if {NATS_URL, QSIM_GRPC} <= given.keys() else None

    @property
    def stack(self) -> Stack:
        """It cannot be controlled from here."""
        raise StackError(
            f"the stack at {self.addresses[NATS_URL]} was not started by this test: "
            "to kill, restart or read logs, take `own_twin`"
        )

    def http_url(self, service: str) -> str:
        """Return where the bridge serves its health and metrics: the containers' address where none is given."""
        if service != BRIDGE:
            raise StackError(f"the stack at {self.addresses[NATS_URL]} says only where the HTTP server of {BRIDGE} is")
        return self.addresses.get(BRIDGE_HTTP, f"http://{BRIDGE}:9102")

    def situation(self, lines: int) -> list[str]:  # noqa: ARG002
        """Return where it is; no more is known."""
        where = ", ".join(f"{name}={address}" for name, address in self.addresses.items())
        return [f"the stack is not this test's own ({where}): look there for the states and logs of its services"]

    def close(self) -> None:
        """Leave it alone."""


def tests_keys(addresses: Mapping[str, str]) -> str | None:
    """Return the folder of the tests' credentials, or of the caller's own; without one he is the viewer."""
    return addresses.get(TESTS_KEYS) or addresses.get(OWN_KEYS)


Backing = OwnStack | ForeignStack
