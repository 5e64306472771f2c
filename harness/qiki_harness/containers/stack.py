"""A compose stack with a project, container names, ports, images and volumes of its own."""

import atexit
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from qiki_harness.compose import ComposeFile
from qiki_harness.compose.model import LOOPBACK
from qiki_harness.containers.containers import Containers
from qiki_harness.errors import EngineError, StackError
from qiki_harness.stack.ports import PortLocks, assign
from qiki_harness.stack.runfolder import user_folder
from qiki_harness.twin.backing import NATS_URL, QSIM_GRPC, QSIM_TLS, TESTS_KEYS

_LAST_LINES = 30
_HOLDER, _KEYS_INSIDE = "qiki-dev", "/keys/tests"
_START_S = 120


@dataclass
class ContainerStack:
    """Drives `docker compose` on one project; `variables` are values for those of the compose file.

    As a context manager it takes the stack down at the end, with its volumes.
    """

    compose_file: Path
    project: str
    variables: Mapping[str, str] = field(default_factory=dict)
    _keys: Path | None = field(default=None, init=False, repr=False)

    @classmethod
    def apart(cls, compose_file: Path, name: str, **variables: str) -> Self:
        """Return a stack whose names, of which `name` is a part, and ports no other stack has."""
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
        """The addresses of NATS and the simulator for clients on this machine, and the credentials of tests.

        The engine hands on what comes to a published port of loopback to the container's other address, where the
        simulator demands TLS.
        """
        return {
            NATS_URL: f"nats://{LOOPBACK}:{self.variables.get('NATS_PORT', '4222')}",
            QSIM_GRPC: f"{LOOPBACK}:{self.variables.get('QSIM_PORT', '50051')}",
            QSIM_TLS: "true",
            TESTS_KEYS: str(self.tests_keys()),
        }

    def tests_keys(self) -> Path:
        """Copy the tests' credentials out of the running stack, once; return their folder, which is this user's."""
        if self._keys is None:
            keys = mkdtemp(prefix="qiki-keys-")
            atexit.register(shutil.rmtree, keys, ignore_errors=True)
            self.run("cp", f"{_HOLDER}:{self.variables.get(TESTS_KEYS, _KEYS_INSIDE)}/.", keys)
            self._keys = Path(keys)
        return self._keys

    def compose(self, *words: str) -> list[str]:
        """Return a command line of `docker compose`."""
        return ["docker", "compose", "--file", str(self.compose_file), "--project-name", self.project, *words]

    def run(self, *words: str) -> str:
        """Run `docker compose` and return its output; a StackError has the last lines of a failure."""
        try:
            command = self.compose(*words)
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        except OSError as error:
            raise EngineError(f"docker: {error.strerror}") from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:]
            raise StackError("\n".join([f"docker compose {' '.join(words)}: exit status {done.returncode}", *said]))
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process with its variables; folders of keys there are of this machine."""
        inherited = {name: value for name, value in os.environ.items() if not name.endswith("_KEYS_DIR")}
        return {**inherited, **self.variables}

    def build(self) -> None:
        """Build its images."""
        self.run("build", "--quiet")

    def up(self) -> None:
        """Start it on existing images, and wait until all is ready; a StackError has the output of failed probes."""
        try:
            self.run("up", "--detach", "--wait", "--wait-timeout", str(_START_S))
        except StackError as error:
            raise StackError("\n".join([str(error), *self.containers.failed_probes()])) from error

    def stop(self) -> None:
        """Take its containers down; its volumes stay."""
        self.run("down", "--remove-orphans")

    def down(self) -> None:
        """Take it down with its volumes and images; the layers stay in the builder's cache."""
        self._keys = None  # the next ones are others
        self.run("down", "--remove-orphans", "--volumes", "--rmi", "all")

    def collect_logs(self, folder: Path) -> list[Path]:
        """Write the log of every container into a folder, a file each."""
        folder.mkdir(parents=True, exist_ok=True)
        containers = self.containers
        files = {folder / f"{service}.log": service for service in containers.all()}
        for file, service in files.items():
            file.write_text("\n".join([*containers.logs(service), ""]), encoding="utf-8")
        return list(files)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.down()
        except StackError:
            if not kind:  # else the first error is the one to show
                raise


def suspect_logs(containers: Containers) -> Iterator[str]:
    """Yield the last log lines of the containers that are not ready, or were restarted."""
    for status in containers.statuses().values():
        if not status.ready or status.restarts:
            yield str(status)
            yield from (f"  {status.name} | {line}" for line in containers.logs(status.name, _LAST_LINES))
