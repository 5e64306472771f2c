"""The guardian: kills the services' process groups when the supervisor is killed itself.

On Linux the kernel ends each service with its supervisor (launch.py); the guardian ends what these have started,
and everything on other systems.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

_REAPER = Path(__file__).with_name("reaper.py")


class Guardian:
    """The supervisor's side: a pipe whose end is the supervisor's end."""

    def __init__(self) -> None:
        reading, self.descriptor = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-IS", _REAPER],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
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
