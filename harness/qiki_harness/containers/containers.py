"""The containers of one compose project: their state, and the faults that tests cause."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from qiki_harness.errors import DeadlineError, EngineError, StackError
from qiki_harness.stack.model import ServiceHealth, ServiceStatus, State
from qiki_harness.testing.wait import until

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_ANSWER_S = 60
PROJECT, SERVICE, ONE_OFF = (f"com.docker.compose.{name}" for name in ("project", "service", "oneoff"))
_POLL_S = 0.1
_SIGNAL = """
import os, sys
for pid in open("/proc/1/task/1/children").read().split():
    os.kill(int(pid), int(sys.argv[1]))
"""
_READY_S = 60.0
_WITH_PYTHON = "registrar"
_STATES = {"created": State.WAITING, "running": State.RUNNING, "restarting": State.RESTARTING, "paused": State.STOPPED}
T = TypeVar("T")


def find_engine() -> "DockerClient":
    """Return the engine that DOCKER_HOST names, else this machine's; EngineError if none answers."""
    try:
        import docker  # noqa: PLC0415  # a tool, which the services' own environment does not have
    except ImportError:
        raise EngineError("the container engine's library is not installed: scripts/setup dev") from None
    try:
        client = docker.from_env(timeout=_ANSWER_S)
        client.ping()
    except docker.errors.DockerException as error:
        where = os.environ.get("DOCKER_HOST", "its usual place")
        raise EngineError(f"no container engine answers at {where} ({type(error).__name__})") from None
    return client


@dataclass(frozen=True)
class Containers:
    """A compose project on an engine."""

    engine: "DockerClient"
    project: str

    @classmethod
    def of(cls, project: str) -> "Containers":
        """Return the containers of a project, which need not exist yet."""
        return cls(find_engine(), project)

    @property
    def compose(self) -> list[str]:
        """The beginning of a `docker compose` command line on the project, which takes no compose file."""
        return ["docker", "compose", "--project-name", self.project]

    def all(self) -> "Mapping[str, Container]":
        """Return every container by its service, also those that ended."""
        label = [f"{PROJECT}={self.project}", f"{ONE_OFF}=False"]
        found = self.engine.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return {container.labels[SERVICE]: container for container in sorted(found, key=lambda one: one.name)}

    def of_service(self, service: str) -> "Container":
        """Return the container of a service; StackError if there is none."""
        if found := (known := self.all()).get(service):
            return found
        there = ", ".join(known) or "none"
        raise StackError(f"no container of service {service!r} in project {self.project}: there are {there}")

    def statuses(self) -> Mapping[str, ServiceStatus]:
        """Return the state of each service."""
        return {name: _status(name, container.attrs) for name, container in self.all().items()}

    def restart(self, service: str) -> None:
        """Stop a service within 5 s, start it, and wait until it is ready."""
        self.of_service(service).restart(timeout=5)
        self.until(f"{service} to be ready", lambda: self.statuses()[service].ready, _READY_S)

    def kill(self, service: str) -> None:
        """Kill a service from within, as a crash does: after `docker kill` no restart policy acts."""
        life = self._life(service)
        self.signal(service, signal.SIGKILL)
        self.until(f"{service} to be dead", lambda: self._life(service) != life, 10)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Freeze a service, with its connections open, as long as the context lasts."""
        container = self.of_service(service)
        container.pause()
        try:
            yield
        finally:
            container.unpause()

    @contextmanager
    def stopped(self, service: str) -> Iterator[None]:
        """Stop a service within 5 s, and start it when the context is over."""
        container = self.of_service(service)
        container.stop(timeout=5)
        try:
            yield
        finally:
            container.start()

    @contextmanager
    def cut_off(self, service: str) -> Iterator[None]:
        """Cut a service off all networks as long as the context lasts."""
        container = self.of_service(service)
        networks = [self.engine.networks.get(name) for name in container.attrs["NetworkSettings"]["Networks"]]
        for network in networks:
            network.disconnect(container)
        try:
            yield
        finally:
            for network in networks:
                network.connect(container, aliases=[service, container.name])

    def signal(self, service: str, number: signal.Signals) -> None:
        """Send a signal to the service's own process, from within its container, not to the init process."""
        from docker.errors import ContainerError  # noqa: PLC0415

        try:
            self.beside(service, "python", "-IS", "-c", _SIGNAL, str(int(number)))
        except ContainerError as error:
            # Where the service ends at once, so does its init process, and the kernel kills the sender beside it.
            if error.exit_status != 128 + signal.SIGKILL:
                raise

    def beside(self, service: str, *command: str) -> str:
        """Run a command among a service's processes, as its user, and return its output.

        It has the files of an image with Python and a shell, which the service's own image may lack.
        """
        container = self.of_service(service)
        output: bytes = self.engine.containers.run(
            self.of_service(_WITH_PYTHON).attrs["Image"],
            list(command),
            pid_mode=f"container:{container.id}",
            user=container.attrs["Config"]["User"],
            network_mode="none",
            cap_drop=["ALL"],
            remove=True,
        )
        return output.decode(errors="replace")

    def _life(self, service: str) -> str:
        state = self.of_service(service).attrs["State"]
        # The engine calls one that waits for its restart running, too.
        return str(state["StartedAt"]) if state["Running"] and not state["Restarting"] else ""

    def logs(self, service: str, lines: int | None = None) -> list[str]:
        """Return the log of a service, or its last lines."""
        log: bytes = self.of_service(service).logs(tail=lines or "all")
        return log.decode(errors="replace").splitlines()

    def failed_probes(self) -> list[str]:
        """Return the output of the failed ones among the last five probes of each container."""
        return [
            f"{service}: probe from {probe['Start'][11:23]} to {probe['End'][11:23]}: {probe['Output'].strip()}"
            for service, container in self.all().items()
            for probe in container.attrs["State"].get("Health", {}).get("Log") or []
            if probe["ExitCode"]
        ]

    def execute(self, service: str, *command: str, **variables: str) -> tuple[int, str]:
        """Run a command in a service's container; return its exit status and output."""
        status, output = self.of_service(service).exec_run(list(command), environment=variables)
        return status, output.decode(errors="replace")

    def address(self, service: str) -> str:
        """Return its address in the project's network; this machine reaches it if the engine is local (Linux)."""
        networks = self.of_service(service).attrs["NetworkSettings"]["Networks"]
        return next(str(network["IPAddress"]) for network in networks.values())

    def wait_ready(self, deadline_s: float = 60.0) -> None:
        """Wait until every service is ready, and every one-shot has ended."""
        ready = lambda: all(status.ready for status in self.statuses().values())
        self.until("all services to be ready", ready, deadline_s)

    def until(self, what: str, condition: Callable[[], T | None], deadline_s: float) -> T:
        """Wait for the first truthy value of a condition; a DeadlineError has states, and logs of unready services."""
        try:
            return until(what, condition, deadline_s, _POLL_S)
        except DeadlineError as error:
            raise DeadlineError(str(error), *self.situation(8)) from None

    def situation(self, lines: int) -> list[str]:
        """Return the state of the services, and the last lines of those that are not ready; of all if all are."""
        statuses = self.statuses().values()
        shown = [status.name for status in statuses if not status.ready] or [status.name for status in statuses]
        logs = [f"  {name} | {line}" for name in shown for line in self.logs(name, lines)]
        return [f"  {status}" for status in statuses] + logs


def _status(name: str, attributes: Mapping[str, Any]) -> ServiceStatus:
    state = attributes["State"]
    health = state.get("Health") or {}
    probes = health.get("Log") or []
    ended = state["Status"] in {"exited", "dead"}
    ports: Mapping[str, list[dict[str, str]] | None] = attributes["NetworkSettings"]["Ports"]
    one_shot = attributes["HostConfig"]["RestartPolicy"]["Name"] in {"no", ""}
    return ServiceStatus(
        name=name,
        log="",
        one_shot=one_shot,
        checked=bool(health),
        state=State.EXITED if ended else _STATES.get(state["Status"], State.STOPPED),
        health=ServiceHealth(health["Status"]) if health else ServiceHealth.NONE,
        pid=state["Pid"] or None,
        exit_code=state["ExitCode"] if ended else None,
        restarts=attributes["RestartCount"],
        started_at=datetime.fromisoformat(f"{state['StartedAt'][:19]}+00:00").timestamp() if state["Running"] else None,
        ports={name: int(bound["HostPort"]) for name, several in ports.items() for bound in several or ()},
        detail=probes[-1]["Output"].strip() if probes and health["Status"] != ServiceHealth.HEALTHY else "",
    )
