"""The guardian: kills the services' process groups when the supervisor is killed itself.

On Linux the kernel ends each service with its supervisor (launch.py); the guardian ends what these have started,
and everything on other systems. It is a process of its own, `python -IS guardian.py`. Lines on its input, `+GROUP` and
`-GROUP`, keep it informed of the process groups; the end of its input is the end of the supervisor.
"""

import contextlib
import os
import signal
import subprocess
import sys


class Guardian:
    """The supervisor's side: a pipe whose end is the supervisor's end."""

    def __init__(self) -> None:
        reading, self.descriptor = os.pipe()
        silent = subprocess.DEVNULL
        command = [sys.executable, "-IS", __file__]
        self._process = subprocess.Popen(command, stdin=reading, stdout=silent, stderr=silent, start_new_session=True)
        os.close(reading)

    def watch(self, group: int) -> None:
        """Kill this process group at the supervisor's end."""
        self._tell(b"+%d\n" % group)

    def forget(self, group: int) -> None:
        """The process group is gone; its number may soon be another's."""
        self._tell(b"-%d\n" % group)

    def close(self) -> None:
        """End the guardian; it kills what is still on its list."""
        os.close(self.descriptor)
        self._process.wait()

    def _tell(self, line: bytes) -> None:
        # The guardian may have been killed; the services run on.
        with contextlib.suppress(BrokenPipeError):
            os.write(self.descriptor, line)


def main() -> None:
    """Keep the list of groups, and kill them at the end of the input."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change = groups.add if line.startswith("+") else groups.discard
        change(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
