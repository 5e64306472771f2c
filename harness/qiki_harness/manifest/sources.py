"""Our own packages, wherever they are imported from."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from qiki_harness.manifest.record import sha256

PACKAGES = (
    "generated",
    "qiki",
    "faststream_bridge",
    "nats_js_init",
    "q_core_agent",
    "q_sim_radar",
    "q_sim_service",
    "registrar",
    "qiki_harness",
)


def source_hashes() -> dict[str, str]:
    """Package to a hash over its files; those that are not installed are left out."""
    return {package: digest_of(folder) for package in PACKAGES for folder in _folders(package)}


def _folders(package: str) -> Iterator[Path]:
    spec = find_spec(package)
    for location in (spec and spec.submodule_search_locations) or ():
        yield Path(location)


def digest_of(folder: Path) -> str:
    """One sha256 over the paths and contents of a folder's files, but for bytecode and what is hidden."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    lines = (f"{path.as_posix()},{sha256(folder / path)}\n" for path in paths if not _is_left_out(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _is_left_out(path: Path) -> bool:
    return path.suffix == ".pyc" or any(part.startswith(".") or part == "__pycache__" for part in path.parts)
