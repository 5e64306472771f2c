"""The name and the command line that `ps` shows of a process."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

from qiki_harness.forks.kernel import set_name

_ARG_START, _ARG_END = 47, 48  # proc_pid_stat(5), counted from 0


def take_title(words: Sequence[str], name: str) -> None:
    """Show as this command line and this name.

    The words are written over those that the process was executed with, as far as there is room. A last byte that is
    not zero tells the kernel that they end at the first zero (fs/proc/base.c, get_mm_cmdline).
    """
    set_name(name)
    _, _, rest = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")
    begin, end = (int(rest.split(" ")[field - 2]) for field in (_ARG_START, _ARG_END))
    if room := end - begin - 2:
        ctypes.memset(begin, 0, end - begin)
        title = " ".join(words).encode(errors="replace")[:room]
        ctypes.memmove(begin, title, len(title))
        ctypes.memset(end - 1, ord("."), 1)
