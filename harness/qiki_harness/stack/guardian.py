"""The guardian: kills the services' process groups when the supervisor is killed itself.

On Linux the kernel ends each service with its supervisor (launch.py); the guardian ends what these have started,
and everything on other systems. It is a process of its own, `python -IS guardian.py`. Lines on its input, `+GROUP` and
`-GROUP`, keep it informed of the process groups; the end of its input is the end of the supervisor.
"""

import contextlib
import errno
import os
import signal
import subprocess
import sys

_PROCESS_GROUP = 1 << 2  # PIDFD_SIGNAL_PROCESS_GROUP, linux/pidfd.h


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
    groups: dict[int, int | None] = {}
    for line in sys.stdin:
        group = int(line[1:])
        former = groups.pop(group, None)
        if former is not None:
            os.close(former)
        if line.startswith("+"):
            with contextlib.suppress(ProcessLookupError):  # it has ended, and the supervisor has killed its group
                groups[group] = _descriptor(group)
    for group, descriptor in groups.items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            _kill(group, descriptor)


def _descriptor(group: int) -> int | None:
    """Return a pidfd of a group's leader; it never refers to a later process with the same number."""
    try:
        return os.pidfd_open(group)
    except ProcessLookupError:
        raise
    except (AttributeError, OSError):  # another system, or a container that forbids it
        return None


def _kill(group: int, descriptor: int | None) -> None:
    if descriptor is not None:
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL, None, _PROCESS_GROUP)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a kernel before 6.9
                raise
        else:
            return
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
