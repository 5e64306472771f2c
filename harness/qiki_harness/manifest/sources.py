"""Our own packages, and a hash over the files of each."""

import hashlib
from importlib.metadata import files
from pathlib import Path

from qiki_harness.manifest.record import sha256

_IMPORTED_FROM = (".", "services", "harness")


def packages() -> dict[str, Path]:
    """Return the name and folder of each package: of the checkout that is installed as a link, else of the wheel."""
    home = next(parent for parent in Path(__file__).parents[1:] if (parent / "qiki").is_dir())
    if (home / "pyproject.toml").exists():
        folders = {init.parent for root in _IMPORTED_FROM for init in (home / root).glob("*/__init__.py")}
    else:
        folders = {home / path.parts[0] for path in files("qiki-dtmp") or () if path.name == "__init__.py"}
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
