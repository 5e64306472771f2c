"""The data of a stack: the options of its start, and its status, which is the content of `stack.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

START, FORK, EXEC = "QIKI_START", "fork", "exec"  # how the services' processes come to be
PORTS = range(1024, 65_536)  # those that every user may take


def is_port(text: str) -> bool:
    """Return whether a text is the number of such a port."""
    return text.isdecimal() and len(text) <= len(str(PORTS[-1])) and int(text) in PORTS


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Compose file and run folder (this stack's alone), and the differences from the file's defaults.

    Attributes:
        variables: values for variables of the file, over those of the environment
        ports: numbers for some of its ports, by variable
        auto_ports: free ports for the rest, instead of the file's defaults: for stacks side by side
        without: services that the user runs himself
        environments: variables of single services, over those that the file gives them
    """

    compose_file: Path
    folder: Path
    name: str = "default"
    variables: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    auto_ports: bool = False
    without: tuple[str, ...] = ()
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the options in one line."""
        return json.dumps({**asdict(self), "compose_file": str(self.compose_file), "folder": str(self.folder)})

    @classmethod
    def from_json(cls, text: str) -> "StackOptions":
        """Return the options that `to_json` wrote."""
        values = json.loads(text)
        paths = {key: Path(values[key]) for key in ("compose_file", "folder")}
        return cls(**{**values, **paths, "without": tuple(values["without"])})


class State(StrEnum):
    """The state of a service."""

    WAITING = "waiting"
    RUNNING = "running"
    RESTARTING = "restarting"
    EXITED = "exited"
    STOPPED = "stopped"
    EXTERNAL = "external"


class ServiceHealth(StrEnum):
    """The verdict of the health check; NONE where there is none."""

    NONE = "-"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class StackState(StrEnum):
    """The state of a stack."""

    STARTING = "starting"
    UP = "up"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service.

    Attributes:
        one_shot: others wait for its end
        checked: it has a health check
        started_at: Unix time of its present life [s]
        ready_after_s: from the stack's start until it was first ready
        waiting_for: conditions that are not true yet
        held_by: the last service that it had to wait for, until `held_s` after the stack's start
        detail: text of its last failed probe
        by_hand: command line of a service that the user runs himself
    """

    name: str
    log: str
    one_shot: bool = False
    checked: bool = False
    state: State = State.WAITING
    health: ServiceHealth = ServiceHealth.NONE
    pid: int | None = None
    exit_code: int | None = None
    restarts: int = 0
    started_at: float | None = None
    ready_after_s: float | None = None
    waiting_for: tuple[str, ...] = ()
    held_by: str | None = None
    held_s: float = 0.0
    detail: str = ""
    by_hand: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """True while it does its work, or once it has done it."""
        match self.state:
            case State.RUNNING | State.EXTERNAL:
                return self.health in {ServiceHealth.HEALTHY, ServiceHealth.NONE} and not self.one_shot
            case State.EXITED:
                return self.exit_code == 0 and (self.one_shot or not self.checked)
        return False

    def __str__(self) -> str:
        """Return the name, the state, and what is wrong, in a line."""
        words = [self.name, str(self.state)]
        if self.health is not ServiceHealth.NONE:
            words.append(str(self.health))
        if self.exit_code is not None:
            words.append(f"exit code {self.exit_code}")
        if self.waiting_for:
            words.append(f"for {', '.join(self.waiting_for)}")
        return " ".join(words) + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a stack did not start."""

    message: str
    exit_status: int
    last_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackInfo:
    """A stack: its place, its services and its addresses. `pid` is the supervisor's."""

    name: str
    folder: Path
    compose_file: Path
    pid: int
    control: Path
    started_at: float
    state: StackState = StackState.STARTING
    failure: Failure | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, ServiceStatus] = field(default_factory=dict)

    def port(self, variable: str) -> int:
        """Return the port of a variable of the compose file, such as NATS_PORT."""
        for service in self.services.values():
            if variable in service.ports:
                return service.ports[variable]
        raise KeyError(variable)

    def http_url(self, service: str) -> str:
        """Return the address of a service's HTTP server (health, metrics)."""
        for variable, port in self.services[service].ports.items():
            if variable.endswith("_HTTP_PORT"):
                return f"http://127.0.0.1:{port}"
        raise KeyError(service)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self) | {key: str(getattr(self, key)) for key in ("folder", "compose_file", "control")}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "StackInfo":
        """Return the status that `to_json` wrote."""
        failure = values["failure"]
        services = {name: _service(entry) for name, entry in values["services"].items()}
        paths = {key: Path(values[key]) for key in ("folder", "compose_file", "control")}
        failed = failure and Failure(**{**failure, "last_words": tuple(failure["last_words"])})
        state = StackState(values["state"])
        return cls(**{**values, **paths, "state": state, "failure": failed, "services": services})


def _service(entry: Mapping[str, Any]) -> ServiceStatus:
    state, health = State(entry["state"]), ServiceHealth(entry["health"])
    return ServiceStatus(**{**entry, "state": state, "health": health, "waiting_for": tuple(entry["waiting_for"])})
