"""Make the Python stubs in generated/ from protos/, or check that they are fresh."""

import argparse
import difflib
import importlib.resources
import re
import sys
import sysconfig
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "generated"
INIT = '"""Stubs made from protos/ by scripts/gen_protos.sh; never edited."""\n'


def compile_protos(target: Path) -> None:
    """Run protoc over all of protos/ into `target`; stubs for gRPC only where a service stands."""
    sources = sorted(PROTOS.rglob("*.proto"))
    run_protoc(target, ("python", "mypy"), sources)
    run_protoc(target, ("grpc_python", "mypy_grpc"), [path for path in sources if "\nservice " in path.read_text()])


def run_protoc(target: Path, kinds: tuple[str, ...], sources: list[Path]) -> None:
    """Run protoc with the plugins that the lock pins, wherever the environment lies."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    scripts = sysconfig.get_path("scripts")
    plugins = [f"--plugin=protoc-gen-{name}={scripts}/protoc-gen-{name}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{kind}_out={'quiet:' if 'mypy' in kind else ''}{target}" for kind in kinds]
    names = [path.relative_to(PROTOS).as_posix() for path in sources]
    if protoc.main(["protoc", f"-I{PROTOS}", f"-I{well_known}", *plugins, *outputs, *names]) != 0:
        sys.exit("gen_protos: protoc failed, see above")


def into_package(target: Path) -> None:
    """Point the imports between stubs, which protoc roots at protos/, into the package `generated`."""
    tops = "|".join(
        sorted({path.relative_to(target).parts[0].removesuffix(".py") for path in target.rglob("*_pb2.py")})
    )
    rooted = re.compile(rf"^(from|import) ((?:{tops})\b)", re.MULTILINE)
    for path in target.rglob("*_pb2*.py*"):
        path.write_text(rooted.sub(r"\1 generated.\2", path.read_text()))
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        (folder / "__init__.py").write_text(INIT)


def files(folder: Path) -> dict[str, str]:
    """Relative path to text of every stub below `folder`."""
    found = (path for path in folder.rglob("*.py*") if path.suffix in {".py", ".pyi"})
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def check(fresh: dict[str, str]) -> None:
    """Exit with the difference if generated/ is not `fresh`."""
    committed = files(GENERATED)
    stale = sorted(name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name))
    for name in stale:
        old, new = committed.get(name, ""), fresh.get(name, "")
        sys.stdout.writelines(
            difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"generated/{name}", "fresh", n=1)
        )
    if stale:
        sys.exit(f"gen_protos: {len(stale)} file(s) in generated/ are stale; run scripts/gen_protos.sh")


def write(fresh: dict[str, str]) -> None:
    """Make generated/ exactly `fresh`."""
    for name in files(GENERATED).keys() - fresh.keys():
        (GENERATED / name).unlink()
    for name, text in fresh.items():
        path = GENERATED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether generated/ is fresh")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        compile_protos(target)
        into_package(target)
        fresh = files(target)
    (check if arguments.check else write)(fresh)


if __name__ == "__main__":
    main()
