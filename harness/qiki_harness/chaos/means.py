"""The means of this machine: which kinds of fault it lets us cause."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from qiki_harness.chaos.plan import KINDS

MOUNTS = "QIKI_CHAOS_MOUNTS"  # set where this process has a mount namespace of its own
_FAKETIME = "faketime/libfaketimeMT.so.1"
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib")
_MULTIARCH = ("", "x86_64-linux-gnu", "aarch64-linux-gnu")
_NAMESPACE = ("unshare", "--mount", "--propagation", "private")


def lacks() -> Mapping[str, str]:
    """Return the kinds that cannot be caused here, each with its reason."""
    return {kind: why for kind in KINDS if (why := _LACKS.get(kind, _nothing)())}


@cache
def faketime() -> Path | None:
    """Return the library that moves a process's clock."""
    places = (Path(folder) / part / _FAKETIME for folder in _LIBRARIES for part in _MULTIARCH)
    return next((place for place in places if place.exists()), None)


def enter_namespace(module: str, arguments: list[str]) -> None:
    """Begin again in a mount namespace of our own: what is mounted there goes with its last process."""
    if MOUNTS not in os.environ:
        command = [*_NAMESPACE, sys.executable, "-P", "-m", module, *arguments]
        os.execvpe(command[0], command, {**os.environ, MOUNTS: "1"})  # noqa: S606


def _nothing() -> str:
    return ""


def _no_clock() -> str:
    return "" if faketime() else "libfaketime is not installed (Debian: apt-get install libfaketime)"


def _no_disk() -> str:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "to mount a small file system takes Linux and root"
    if not shutil.which("unshare"):
        return "there is no unshare (util-linux)"
    tried = subprocess.run([*_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return tried.stderr.decode(errors="replace").strip()


def _no_memory() -> str:
    return "" if sys.platform == "linux" else "to limit the memory of a running process takes Linux"


_LACKS: Mapping[str, Callable[[], str]] = {"clock": _no_clock, "disk": _no_disk, "memory": _no_memory}
