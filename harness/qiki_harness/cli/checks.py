"""What `qiki doctor` looks at."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from qiki_harness.compose import ComposeFile, StackPort
from qiki_harness.locks.pins import read_pins
from qiki_harness.stack.ports import PortLocks, is_free, listener
from qiki_harness.stack.runfolder import user_folder

_SUPPORTED = ((3, 11), (3, 12), (3, 13))
# The streams' limits, 2.4 GiB, and room for logs.
_DISK_BYTES = 3 << 30
_TOOL_S = 30


class Grade(Enum):
    """What a check found."""

    GOOD = auto()
    BAD = auto()
    NOTE = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for the user, and what to do about it."""

    grade: Grade
    text: str
    remedy: str = ""


def all_checks(compose_file: Path) -> list[Callable[[], Finding]]:
    """The checks, in the order in which they are told."""
    root = compose_file.parent
    compose = ComposeFile(compose_file)
    return [
        python_version,
        partial(packages, root / "locks"),
        nats_server,
        partial(stubs, root),
        *(partial(port_free, port) for port in compose.ports if port.published),
        partial(disk, root),
        engine,
    ]


def python_version(running: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether this Python is supported."""
    text = f"Python {running[0]}.{running[1]} ({sys.executable})"
    if running in _SUPPORTED:
        return Finding(Grade.GOOD, text)
    return Finding(Grade.BAD, text, "3.11 to 3.13 are supported: PYTHON=python3.13 scripts/setup")


def packages(locks: Path) -> Finding:
    """Whether what is installed is what the lock pins; the dev lock where the tests are installed."""
    lock = locks / ("dev.txt" if find_spec("pytest") else "runtime.txt")
    if not lock.exists():
        return Finding(Grade.BAD, f"{lock} is missing", "the checkout is not whole: git status")
    wrong = differing(lock.read_text(encoding="utf-8"))
    if wrong:
        level = lock.stem
        return Finding(Grade.BAD, f"packages differ from {lock.name}: {', '.join(wrong)}", f"scripts/setup {level}")
    return Finding(Grade.GOOD, f"packages are those of {lock.name}")


def differing(lock: str) -> list[str]:
    """The packages of a lock file that are installed in another version, or not at all."""
    found = []
    for pin in read_pins(lock):
        try:
            installed = version(pin.name)
        except PackageNotFoundError:
            # A marker may say that this platform does not need it.
            installed = pin.version if pin.marker else "not installed"
        if installed != pin.version:
            found.append(f"{pin.name} {installed}, pinned {pin.version}")
    return found


def nats_server() -> Finding:
    """Whether the NATS server's binary is there."""
    beside = Path(sys.executable).parent
    binary = shutil.which("nats-server", path=str(beside)) or shutil.which("nats-server")
    if not binary:
        return Finding(Grade.BAD, "nats-server is not installed", "it comes with the lock: scripts/setup")
    return Finding(Grade.GOOD, f"{_output([binary, '--version']) or 'nats-server'} ({binary})")


def stubs(root: Path) -> Finding:
    """Whether the generated stubs are those of the protos."""
    script = root / "scripts" / "gen_protos.py"
    if not (find_spec("grpc_tools") and script.exists()):
        return Finding(Grade.NOTE, "generated stubs not checked: that takes grpcio-tools", "scripts/setup dev")
    if _output([sys.executable, str(script), "--check"]) is None:
        return Finding(Grade.BAD, "generated/ is not what protos/ says", "scripts/gen_protos.sh")
    return Finding(Grade.GOOD, "generated/ is what protos/ says")


def port_free(port: StackPort) -> Finding:
    """Whether a port that `qiki up` takes by default is free, or taken by a stack."""
    text = f"port {port.default} ({port.variable}, {port.service})"
    if is_free(port.default):
        return Finding(Grade.GOOD, f"{text} is free")
    owner = PortLocks(user_folder() / "ports", "").owner(port.default)
    if owner:
        return Finding(Grade.NOTE, f"{text} is taken by {owner}")
    return Finding(
        Grade.BAD,
        f"{text} is taken by {listener(port.default) or 'another program'}",
        f"stop that, or: qiki up --port {port.variable}=N, or --ports auto",
    )


def disk(root: Path) -> Finding:
    """Whether the streams fit."""
    free = shutil.disk_usage(root).free
    text = f"{free / (1 << 30):.1f} GiB free on the disk of {root}"
    if free >= _DISK_BYTES:
        return Finding(Grade.GOOD, text)
    return Finding(Grade.BAD, text, f"streams may grow to {_DISK_BYTES >> 30} GiB: make room")


def engine() -> Finding:
    """Whether a container engine answers; nothing native needs one."""
    if not shutil.which("docker"):
        return Finding(Grade.NOTE, "no container engine: `qiki up` needs none, `docker compose` would")
    answer = _output(["docker", "version", "--format", "{{.Server.Version}}"])
    if not answer:
        return Finding(Grade.NOTE, "docker is installed, but no engine answers: `qiki up` needs none")
    return Finding(Grade.GOOD, f"container engine {answer}")


def _output(command: list[str]) -> str | None:
    """What a tool says; None if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
