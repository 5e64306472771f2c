"""`qiki manifest`: describe this environment, compare two."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import RED, Line, Painted, echo, echo_json
from qiki_harness.cli.options import in_checkout
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.manifest import Manifest

app = typer.Typer(help="Describe this environment, or compare two.", invoke_without_command=True)

_SHORT = 12
_HERE = "this environment"
ManifestFile = Annotated[str, typer.Argument(help="Output of `qiki manifest --json`; - is stdin.")]


@app.callback()
def manifest(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, as JSON.")] = False,
    verify: Annotated[bool, typer.Option(help="Compare every file with its RECORD.")] = True,
) -> None:
    """Describe this environment: Python, packages, programs, our sources."""
    if context.invoked_subcommand is None:
        found = _manifest(verify=verify)
        if as_json:
            echo_json(found.model_dump_json(indent=2))
        else:
            echo(*_text(found))


@app.command()
def diff(
    a: ManifestFile,
    b: Annotated[str | None, typer.Argument(help="The other; this environment if not given.")] = None,
    lock: Annotated[
        str | None, typer.Option(help="Compare what this lock pins (runtime, dev); what else is there may differ.")
    ] = None,
    relinked: Annotated[bool, typer.Option("--relinked", help="Allow the library paths that Nix rewrites.")] = False,
) -> None:
    """Compare two environments; exit status 0: the same, 1: different."""
    from qiki_harness.manifest import Comparison  # noqa: PLC0415  # pydantic

    pair = (_manifest(a), _manifest(b))
    if lock and not any(lock in each.locks for one in pair for each in one.distributions.values()):
        raise HarnessError(f"neither manifest knows a lock {lock!r}: it is a file of locks/, without .txt")
    names = (_called(a), _called(b) if b else _HERE)
    found = Comparison(*pair, names if names[0] != names[1] else (a, b or _HERE), lock, relinked).differences()
    echo(*(map(str, found) if found else ["no difference"]))
    sys.exit(not all(difference.allowed for difference in found))


def _manifest(file: str | None = None, *, verify: bool = True) -> "Manifest":
    from qiki_harness.manifest import collect, read_manifest  # noqa: PLC0415

    if not file:
        return collect(in_checkout("locks"), verify=verify)
    if file == "-":
        return read_manifest(sys.stdin.read(), "stdin")
    try:
        return read_manifest(Path(file).read_text(encoding="utf-8"), file)
    except OSError as error:
        raise HarnessError(f"{file} cannot be read: {error.strerror}") from None


def _called(file: str) -> str:
    return "stdin" if file == "-" else Path(file).stem


def _text(found: "Manifest") -> Iterator[Line]:
    libc = f", {found.platform.libc}" if found.platform.libc else ""
    head = f"{found.python.implementation} {found.python.version}, {found.platform.system} {found.platform.machine}"
    distributions = [
        (name, each.version, " ".join(each.locks) or "none", str(each.files), each.record[:_SHORT])
        for name, each in found.distributions.items()
    ]
    programs = [(name, each.version or "does not run", each.distribution) for name, each in found.tools.items()]
    yield from (f"qiki-dtmp {found.version} on {head}{libc}", "")
    yield from (*table(("DISTRIBUTION", "VERSION", "LOCKS", "FILES", "RECORD"), distributions), "")
    yield from (*table(("PROGRAM", "VERSION", "OF"), programs), "")
    yield from (*table(("OUR PACKAGE", "HASH"), [(name, each[:_SHORT]) for name, each in found.sources.items()]), "")
    yield from _verdict(found)


def _verdict(found: "Manifest") -> Iterator[Line]:
    named = found.distributions.items()
    wrong = [f"{name} is {each.version}, pinned is {each.pinned}" for name, each in named if each.pinned]
    wrong += [f"{name}: {path} is {state}" for name, each in named for path, state in each.altered.items()]
    wrong += [f"no distribution brought {path}" for path in found.unrecorded]
    yield from (Painted(line, RED) for line in wrong)
    if not found.verified:
        yield "The files were not compared with their RECORDs."
    elif not wrong:
        yield f"{sum(each.files for _, each in named)} files are as their RECORDs say."
