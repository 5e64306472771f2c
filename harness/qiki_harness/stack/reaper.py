"""The guardian's process: outlives the supervisor by an instant and kills what it left behind.

Run as a script, `python -IS reaper.py`. Lines on its input, `+GROUP` and `-GROUP`, keep it informed of the process
groups; the end of its input is the end of the supervisor.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Keep the list, and kill it at the end."""
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
