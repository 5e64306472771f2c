"""A compose stack for one run of tests: build, start, keep the logs after a failure, take down."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qiki_harness.cli.options import compose_file
from qiki_harness.containers.containers import Containers
from qiki_harness.containers.stack import ContainerStack, suspect_logs
from qiki_harness.errors import EngineError
from qiki_harness.twin.backing import ForeignStack

STRANGER = {"QIKI_UID": "4711", "QIKI_GID": "4711"}
"""A user who is neither the images' own nor the owner of the checkout: what works for him works for all."""


class Stage:
    """The life of a stack for `pytest --stack compose` and `tox -e smoke`; `say` prints a line for the user."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._say = say
        self._file = compose_file()
        self.stack = ContainerStack.apart(self._file, name, **STRANGER)
        self._began_s = time.monotonic()

    def start(self) -> None:
        """Build and start it; after a failure its logs are kept, and it is taken down."""
        try:
            self._step("builds the images", self.stack.build)
            self._step("starts the stack", self.stack.up)
        except BaseException:
            self.end(failed=True)
            raise

    def end(self, *, failed: bool) -> None:
        """Take it down; after a failure, first keep the logs and show those of suspect containers."""
        try:
            if failed:
                self._keep_logs()
        finally:
            self.stack.down()
        self._say(f"{self.stack.project}: taken down after {time.monotonic() - self._began_s:.0f} s in all")

    def _step(self, what: str, do: Callable[[], None]) -> None:
        self._say(f"{self.stack.project}: {what} …")
        began_s = time.monotonic()
        do()
        self._say(f"{self.stack.project}: {what}: done in {time.monotonic() - began_s:.1f} s")

    def _keep_logs(self) -> None:
        folder = self._file.parent / ".qiki" / self.stack.project
        try:
            files = self.stack.collect_logs(folder)
        except OSError:  # a checkout that we cannot write
            folder = Path("/tmp") / self.stack.project  # noqa: S108
            files = self.stack.collect_logs(folder)
        for line in suspect_logs(self.stack.containers):
            self._say(line)
        self._say(f"{self.stack.project}: the logs of {len(files)} containers are in {folder}")


@dataclass(frozen=True)
class ContainerBacking(ForeignStack):
    """A compose stack of the tests: like any foreign stack, but its containers can be inspected."""

    project: str

    def situation(self, lines: int) -> list[str]:
        """Return the state of its services and the last lines of their logs."""
        headline = f"the compose stack {self.project}"
        try:
            return [headline, *Containers.of(self.project).situation(lines)]
        except EngineError as error:
            return [f"{headline}: {error}"]
