"""`qiki doctor`: check that this machine has what the project needs, and say how to get what is missing."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum, auto
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import GREEN, RED, Painted, echo
from qiki_harness.cli.options import File, compose_file
from qiki_harness.locks.pins import read_pins
from qiki_harness.stack.runfolder import user_folder

if TYPE_CHECKING:
    from qiki_harness.compose import StackPort

_SUPPORTED = ((3, 11), (3, 12), (3, 13))
_DISK_BYTES = 3 << 30  # the streams' limits, 2.4 GiB, and room for logs
_TOOL_S = 30


class Grade(Enum):
    """The result of a check."""

    GOOD = auto()
    BAD = auto()
    NOTE = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """A line for the user, and what to do if it is bad."""

    grade: Grade
    text: str
    remedy: str = ""


def python_version(running: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Check that this Python is supported."""
    text = f"Python {running[0]}.{running[1]} ({sys.executable})"
    if running in _SUPPORTED:
        return Finding(Grade.GOOD, text)
    return Finding(Grade.BAD, text, "3.11 to 3.13 are supported: PYTHON=python3.13 scripts/setup")


def packages(locks: Path) -> Finding:
    """Check that the installed packages are those of the lock: the dev lock where the tests are installed."""
    lock = locks / ("dev.txt" if find_spec("pytest") else "runtime.txt")
    if not lock.exists():
        return Finding(Grade.BAD, f"{lock} is missing", "the checkout is not whole: git status")
    if wrong := differing(lock.read_text(encoding="utf-8")):
        return Finding(Grade.BAD, f"packages differ from {lock.name}: {', '.join(wrong)}", f"scripts/setup {lock.stem}")
    return Finding(Grade.GOOD, f"packages are those of {lock.name}")


def differing(lock: str) -> list[str]:
    """Return the packages of a lock file that are installed in another version, or not at all."""
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
    """Check that the NATS server is installed."""
    binary = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    if not binary:
        return Finding(Grade.BAD, "nats-server is not installed", "it comes with the lock: scripts/setup")
    return Finding(Grade.GOOD, f"{_output(binary, '--version') or 'nats-server'} ({binary})")


def stubs(root: Path) -> Finding:
    """Check that the generated stubs are those of the protos."""
    script = root / "scripts" / "gen_protos.py"
    if not (find_spec("grpc_tools") and script.exists()):
        return Finding(Grade.NOTE, "generated stubs not checked: that takes grpcio-tools", "scripts/setup dev")
    if _output(sys.executable, str(script), "--check") is None:
        return Finding(Grade.BAD, "generated/ is not what protos/ says", "scripts/gen_protos.sh")
    return Finding(Grade.GOOD, "generated/ is what protos/ says")


def port_free(port: "StackPort") -> Finding:
    """Check that a port that `qiki up` takes by default is free, or taken by a stack."""
    from qiki_harness.stack.ports import PortLocks, is_free, listener  # noqa: PLC0415

    text = f"port {port.default} ({port.variable}, {port.service})"
    if is_free(port.default):
        return Finding(Grade.GOOD, f"{text} is free")
    if owner := PortLocks(user_folder() / "ports", "").owner(port.default):
        return Finding(Grade.NOTE, f"{text} is taken by {owner}")
    remedy = f"stop that, or: qiki up --port {port.variable}=N, or --ports auto"
    return Finding(Grade.BAD, f"{text} is taken by {listener(port.default) or 'another program'}", remedy)


def disk(root: Path) -> Finding:
    """Check that the streams fit on the disk."""
    free = shutil.disk_usage(root).free
    text = f"{free / (1 << 30):.1f} GiB free on the disk of {root}"
    if free >= _DISK_BYTES:
        return Finding(Grade.GOOD, text)
    return Finding(Grade.BAD, text, f"streams may grow to {_DISK_BYTES >> 30} GiB: make room")


def engine() -> Finding:
    """Check whether a container engine answers; nothing native needs one."""
    if (
        os.environ.get("QIKI_WORKSPACE")
        and not Path("/var/run/docker.sock").exists()
        and not os.environ.get("DOCKER_HOST")
    ):
        text = "the workspace is without the engine: `qiki ps`, `logs` and `restart SERVICE` work on the host"
        return Finding(Grade.NOTE, text, "to have it here, reopen the devcontainer with QIKI_DOCKER_SOCKET=auto")
    if not shutil.which("docker"):
        return Finding(Grade.NOTE, "no container engine: `qiki up` needs none, `docker compose` would")
    answer = _output("docker", "version", "--format", "{{.Server.Version}}")
    if not answer:
        return Finding(Grade.NOTE, "docker is installed, but no engine answers: `qiki up` needs none")
    return Finding(Grade.GOOD, f"container engine {answer}")


def _output(*command: str) -> str | None:
    """Return what a tool prints; None if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def doctor(
    file: File = None, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is wrong.")] = False
) -> None:
    """Check Python, the locked packages, the NATS server, the stubs, ports, disk and, if there, the engine."""
    from qiki_harness.compose import ComposeFile  # noqa: PLC0415  # YAML

    marks = {Grade.GOOD: Painted("✓", GREEN), Grade.BAD: Painted("✗", RED), Grade.NOTE: Painted("-", None)}
    file = compose_file(file)
    ports = [port_free(port) for port in ComposeFile(file).ports if port.published]
    findings = [python_version(), packages(file.parent / "locks"), nats_server(), stubs(file.parent)]
    findings += [*ports, disk(file.parent), engine()]
    for finding in findings:
        if finding.grade is Grade.BAD or not quiet:
            echo((marks[finding.grade], f" {finding.text}"))
            if finding.remedy:
                echo(f"    {finding.remedy}")
    sys.exit(any(finding.grade is Grade.BAD for finding in findings))
