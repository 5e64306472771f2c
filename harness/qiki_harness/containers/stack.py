"""A compose stack of its own: project, container names, ports, images and volumes that nobody else has."""

import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from qiki_harness.compose import ComposeFile
from qiki_harness.compose.variables import LOOPBACK
from qiki_harness.containers.containers import Containers
from qiki_harness.errors import EngineError, StackError
from qiki_harness.stack.ports import PortLocks, assign
from qiki_harness.stack.runfolder import user_folder

_LAST_LINES = 30
_START_S = 120


@dataclass
class ContainerStack:
    """Drives `docker compose` on one project.

    As a context manager it takes the stack down at the end, with its volumes.

    Args:
        compose_file: the stack's description
        project: name of the compose project
        variables: values for variables of the file
    """

    compose_file: Path
    project: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def apart(cls, compose_file: Path, name: str, **variables: str) -> Self:
        """One that leaves every other alone: nothing of it has a name or a port that another has.

        Args:
            name: becomes part of its names
        """
        project = f"qiki-{name}-{secrets.token_hex(3)}"
        # Held as long as this process lives.
        locks = PortLocks(user_folder() / "ports", project)
        published = [port for port in ComposeFile(compose_file).ports if port.published]
        numbers = assign(published, locks, wanted={}, auto=True)
        own = {"QIKI_CONTAINER_PREFIX": f"{project}-", "QIKI_IMAGE_TAG": project}
        return cls(compose_file, project, {**own, **{key: str(port) for key, port in numbers.items()}, **variables})

    @property
    def containers(self) -> Containers:
        """Its containers."""
        return Containers.of(self.project)

    @property
    def addresses(self) -> dict[str, str]:
        """Where clients on this machine find NATS and the simulator."""
        return {
            "NATS_URL": f"nats://{LOOPBACK}:{self.variables.get('NATS_PORT', '4222')}",
            "QSIM_GRPC": f"{LOOPBACK}:{self.variables.get('QSIM_PORT', '50051')}",
        }

    def compose(self, *words: str) -> list[str]:
        """The command line of `docker compose` with these words."""
        return ["docker", "compose", "--file", str(self.compose_file), "--project-name", self.project, *words]

    def run(self, *words: str) -> str:
        """Run `docker compose`; what it printed.

        Raises:
            StackError: it failed; has what it said last.
        """
        try:
            done = subprocess.run(
                self.compose(*words), env=self.environment, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise EngineError(f"docker: {error.strerror}") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:]
            raise StackError("\n".join([f"docker compose {' '.join(words)}: exit status {done.returncode}", *said]))
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Its variables over those of this process."""
        return {**os.environ, **self.variables}

    def build(self) -> None:
        """Build its images."""
        self.run("build", "--quiet")

    def up(self) -> None:
        """Start it, on images that are there, and wait until all is ready.

        Raises:
            StackError: it did not start, or one became unhealthy meanwhile; has what Compose and the probes said.
        """
        try:
            self.run("up", "--detach", "--wait", "--wait-timeout", str(_START_S))
        except StackError as error:
            raise StackError("\n".join([str(error), *self.containers.failed_probes()])) from error

    def stop(self) -> None:
        """Take its containers down; what it stored stays."""
        self.run("down", "--remove-orphans")

    def down(self) -> None:
        """Take it down, with all that it stored and its images; the layers stay in the builder's cache."""
        self.run("down", "--remove-orphans", "--volumes", "--rmi", "all")

    def collect_logs(self, folder: Path) -> list[Path]:
        """Write what every container has said into a folder, a file each."""
        folder.mkdir(parents=True, exist_ok=True)
        containers = self.containers
        files = []
        for service in containers.all():
            file = folder / f"{service}.log"
            file.write_text("\n".join([*containers.logs(service), ""]), encoding="utf-8")
            files.append(file)
        return files

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.down()
        except StackError:
            if not kind:  # what went wrong first is told
                raise


def end_of_the_guilty(containers: Containers, lines: int = _LAST_LINES) -> Sequence[str]:
    """What the containers said last that are not as they should be, or have been started again."""
    said: list[str] = []
    for status in containers.statuses().values():
        if not status.ready or status.restarts:
            said += [str(status), *(f"  {status.name} | {line}" for line in containers.logs(status.name, lines))]
    return said
