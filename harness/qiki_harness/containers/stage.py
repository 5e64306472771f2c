"""A compose stack for one run of tests: built, started, its logs kept where something failed, taken down."""

import time
from collections.abc import Callable
from pathlib import Path

from qiki_harness.cli.options import compose_file
from qiki_harness.containers.stack import ContainerStack, end_of_the_guilty

STRANGER = {"QIKI_UID": "4711", "QIKI_GID": "4711"}
"""Another user than the images' own, and than whoever has the checkout: what works for him works for all."""


class Stage:
    """What `pytest --stack compose` and `tox -e smoke` do with a stack.

    Args:
        name: becomes part of its names
        say: tells the user
    """

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._say = say
        self._file = compose_file()
        self.stack = ContainerStack.apart(self._file, name, **STRANGER)
        self._began_s = time.monotonic()

    def start(self) -> None:
        """Build and start it.

        Raises:
            HarnessError: that failed; its logs are kept, and it is taken down.
        """
        try:
            self._step("builds the images", self.stack.build)
            self._step("starts the stack", self.stack.up)
        except BaseException:
            self.end(failed=True)
            raise

    def end(self, *, failed: bool) -> None:
        """Take it down; after a failure, first keep the logs and show the end of the guilty one's."""
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
        for line in end_of_the_guilty(self.stack.containers):
            self._say(line)
        self._say(f"{self.stack.project}: the logs of {len(files)} containers are in {folder}")
