"""A stack as the runner reads it: services and their needs, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from signal import Signals

LOOPBACK = "127.0.0.1"


class StartCondition(StrEnum):
    """A state of one service for which another waits."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


class RestartKind(StrEnum):
    """When a service that ended is started again."""

    NO = "no"
    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    UNLESS_STOPPED = "unless-stopped"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """A restart policy; `max_retries` bounds on-failure."""

    kind: RestartKind = RestartKind.NO
    max_retries: int | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """That a service starts only when a condition holds for another."""

    service: str
    condition: StartCondition

    def __str__(self) -> str:
        """Name it as in `nats (healthy)`."""
        return f"{self.service} ({self.condition.value.removeprefix('service_').replace('_', ' ')})"


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """The probe of a service's health. Defaults: Compose Specification, Dockerfile HEALTHCHECK."""

    test: tuple[str, ...]
    interval_s: float = 30.0
    timeout_s: float = 30.0
    retries: int = 3
    start_period_s: float = 0.0
    start_interval_s: float = 5.0


@dataclass(frozen=True, slots=True)
class StackPort:
    """A port of a service, named by the variable that sets it."""

    variable: str
    service: str
    default: int
    published: bool


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service, ready to be run as a plain process."""

    name: str
    command: tuple[str, ...]
    working_dir: Path
    environment: Mapping[str, str]
    dependencies: tuple[Dependency, ...] = ()
    healthcheck: Healthcheck | None = None
    restart: RestartPolicy = RestartPolicy()
    stop_signal: Signals = Signals.SIGTERM
    stop_grace_s: float = 10.0
    ports: tuple[StackPort, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A whole stack; the services stand in an order in which each follows what it depends on."""

    file: Path
    services: Mapping[str, ComposeService]
    addresses: Mapping[str, str]

    def dependants(self, name: str) -> tuple[str, ...]:
        """Return the services that depend directly on this one."""
        services = self.services.values()
        return tuple(one.name for one in services if name in [need.service for need in one.dependencies])
