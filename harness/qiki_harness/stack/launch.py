"""The last step before a service: tie this process to its supervisor, then become the service.

Run as a script, `python -IS launch.py SUPERVISOR_PID GUARDIAN_FD COMMAND…`; it imports next to nothing.
What is done here is done by the service's own process before its first instruction, so that there is no instant
at which a supervisor that is killed would leave it behind.
"""

import contextlib
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tell the guardian of our process group, die with the supervisor, become the command."""
    supervisor, guardian, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    with contextlib.suppress(BrokenPipeError):
        os.write(guardian, b"+%d\n" % os.getpgrp())
    os.set_inheritable(guardian, False)
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # only where it is of use

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        sys.exit("the supervisor is gone")
    # Python ignores it for itself, and what is ignored stays so in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main()
