"""A compose stack for one run of tests, and `tox -e smoke`: the smoke test on a stack as its user starts it.

The smoke test's stack is the one that NATS_URL and QSIM_GRPC name if both are set, else a compose stack of its own,
checked from within its workspace. If no engine answers, it is a native one; in CI that is an error.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from qiki.runtime.terminal import echo
from qiki_harness.cli.options import compose_file
from qiki_harness.cli.output import complain
from qiki_harness.containers.containers import Containers, find_engine
from qiki_harness.containers.stack import ContainerStack, suspect_logs
from qiki_harness.errors import EngineError, HarnessError
from qiki_harness.twin.backing import ForeignStack

# A user who is neither the images' own nor the owner of the checkout: what works for him works for all.
STRANGER = {"QIKI_UID": "4711", "QIKI_GID": "4711"}
_SMOKE = ("-q", "tests/smoke")


class Stage:
    """The life of a stack for `pytest --stack compose` and `tox -e smoke`; `say` prints a line for the user."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._say = say
        self._file = compose_file()
        self.stack = ContainerStack.apart(self._file, name, **STRANGER, AGENT_ENGINES="all")  # a test installs one
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


def main(words: Sequence[str]) -> int:
    """Run the smoke test and return its exit status."""
    if os.environ.get("NATS_URL") and os.environ.get("QSIM_GRPC"):
        _say(f"the stack of NATS_URL={os.environ['NATS_URL']}")
        return pytest.main([*_SMOKE, *words])
    try:
        find_engine()
    except EngineError as error:
        if os.environ.get("CI"):
            raise
        _say(f"{error}: the native stack")
        return pytest.main([*_SMOKE, *words])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the stack is taken down then
    return _smoke_on_compose(words)


def _smoke_on_compose(words: Sequence[str]) -> int:
    stage = Stage("smoke", _say)
    stage.start()
    status = 1
    try:
        inside = stage.stack.compose("exec", "-T", "qiki-dev", "pytest", *_SMOKE, *words)
        status = subprocess.run(inside, env=stage.stack.environment, check=False).returncode
    finally:
        stage.end(failed=status != 0)
    return status


def _say(text: str) -> None:
    echo(f"smoke: {text}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HarnessError as error:
        complain(str(error))
        sys.exit(2)
