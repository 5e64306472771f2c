"""Calls for processes that Linux offers and Python does not."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
FIRST_FREE = 3  # descriptors below are input, output and errors
_HIGHEST = 2**20


def can_fork() -> bool:
    """Return whether this system has all that fork servers take."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # an old kernel, or a container that forbids it
        return False
    return True


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end it now if that has happened already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans(wanted: bool) -> None:
    """Become, or no longer be, the parent of what our descendants leave behind."""
    _prctl(_PR_SET_CHILD_SUBREAPER, int(wanted))


def close_all_but(*kept: int) -> None:
    """Close every descriptor from 3 on but these."""
    begin = FIRST_FREE
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, _HIGHEST)


def set_name(name: str) -> None:
    """Set the name of this process; the kernel keeps 15 bytes of it."""
    _prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()))


def _prctl(option: int, value: int | ctypes.c_char_p) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
