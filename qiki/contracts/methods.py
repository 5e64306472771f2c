"""The table of RPC methods: who may call each of them."""

from dataclasses import dataclass

from qiki.contracts.identities import AGENT, OPERATOR, RADAR, TESTS, VIEWER
from qiki.contracts.rights import Grant

API = "/qiki.api.QSimAPIService/"
_OWN = (AGENT, OPERATOR, TESTS)
_ALL = (*_OWN, RADAR)


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        path: as gRPC names it; one that ends with `/` stands for all methods of a service
        callers: identities of the table that may call it
        commands: it changes something, so nobody may call it without an identity, and a further identity only where
            it was granted to operate
    """

    path: str
    callers: tuple[str, ...]
    commands: bool = False

    def allows(self, name: str, grant: Grant | None) -> bool:
        """Return whether an identity may call it; `grant` is that of a further one, None for one of the table."""
        if grant is not None:
            return grant.operate or not self.commands
        return name in self.callers or (name == VIEWER and not self.commands)


METHODS = (
    Method(f"{API}GetSensorData", _OWN),
    Method(f"{API}SendActuatorCommand", _OWN, commands=True),
    Method(f"{API}ListActuators", _OWN),
    Method(f"{API}HealthCheck", _ALL),
    Method(f"{API}GetRadarFrame", _ALL),
    Method(f"{API}StreamRadarFrames", _ALL),
    Method("/grpc.health.v1.Health/", _ALL),
    Method("/grpc.reflection.v1.ServerReflection/", _ALL),
    Method("/grpc.reflection.v1alpha.ServerReflection/", _ALL),
)
SEND_ACTUATOR_COMMAND = METHODS[1]
_BY_PATH = {method.path: method for method in METHODS}


def find_method(path: str) -> Method | None:
    """Return the row of a method; None where there is none, so that nobody may call it."""
    return _BY_PATH.get(path) or _BY_PATH.get(path[: path.rfind("/") + 1])
