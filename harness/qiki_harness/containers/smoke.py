"""`tox -e smoke`: the smoke test on a stack as its user starts it.

The stack is the one that NATS_URL and QSIM_GRPC name if both are set, else a compose stack of its own, checked from
within its workspace. If no engine answers, it is a native one; in CI that is an error.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from qiki_harness.cli.output import complain
from qiki_harness.containers.containers import find_engine
from qiki_harness.containers.stage import Stage
from qiki_harness.errors import EngineError, HarnessError

TESTS = ("-q", "tests/smoke")


def main(words: Sequence[str]) -> int:
    """Run the tests; return their exit status."""
    if os.environ.get("NATS_URL") and os.environ.get("QSIM_GRPC"):
        say(f"the stack of NATS_URL={os.environ['NATS_URL']}")
        return pytest.main([*TESTS, *words])
    try:
        find_engine()
    except EngineError as error:
        if os.environ.get("CI"):
            raise
        say(f"{error}: the native stack")
        return pytest.main([*TESTS, *words])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the stack is taken down then
    return on_compose(words)


def on_compose(words: Sequence[str]) -> int:
    """Run the tests in the workspace of a compose stack of its own; return their exit status."""
    stage = Stage("smoke", say)
    stage.start()
    status = 1
    try:
        inside = stage.stack.compose("exec", "-T", "qiki-dev", "pytest", *TESTS, *words)
        status = subprocess.run(inside, env=stage.stack.environment, check=False).returncode
    finally:
        stage.end(failed=status != 0)
    return status


def say(text: str) -> None:
    """Print a line for the user."""
    print(f"smoke: {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HarnessError as error:
        complain(str(error))
        sys.exit(2)
