"""`qiki events`: read the audit log, and check that nobody changed it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.eventlines import EventLines
from qiki_harness.cli.options import Name, NatsUrl, RunDir, keys_for, run_folder
from qiki_harness.errors import HarnessError
from qiki_harness.stack import Stack

if TYPE_CHECKING:
    from qiki.audit.query import Query

app = typer.Typer(help="Read and check the audit log: every event, by code.", no_args_is_help=True)

_POLL_S = 0.1

Dir = Annotated[Path | None, typer.Option("--dir", help="The audit log's folder, if not the stack's own.")]
Codes = Annotated[list[int] | None, typer.Option("--code", help="This code; may be repeated.")]
Ranges = Annotated[list[str] | None, typer.Option("--range", help="Codes such as 2xx or 200-299; may be repeated.")]
Source = Annotated[str | None, typer.Option(help="A part of the source, such as a service.")]
Severity = Annotated[str | None, typer.Option(help="This severity or worse: INFO, WARNING, ERROR, CRITICAL.")]
Since = Annotated[str | None, typer.Option(help="Registered since: 10m, 2h, or 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Registered before; as --since.")]
Long = Annotated[bool, typer.Option("--long", "-l", help="All details of each event, however long the line.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="KEY|FILE", help="The public key that signed the log; repeated: one after the other."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the lines of the log.")]


@app.command()
def tail(  # noqa: PLR0917  # each an option of the command line
    count: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new events too, until Ctrl-C.")] = False,
    code: Codes = None,
    codes_in: Ranges = None,
    source: Source = None,
    severity: Severity = None,
    since: Since = None,
    until: Until = None,
    long: Long = False,
    as_json: Json = False,
    folder: Dir = None,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Show the newest events."""
    from qiki.audit.query import Follower, newest  # noqa: PLC0415

    log = _folder(folder, name, run_dir)
    query = _query(code, codes_in, source, severity, since, until)
    show = _printer(long=long, as_json=as_json)
    follower = Follower(log, query)
    for entry in newest(log, query, count):
        show(*entry)
    try:
        while follow:
            time.sleep(_POLL_S)
            for entry in follower.new():
                show(*entry)
    except KeyboardInterrupt:
        return


@app.command()
def query(  # noqa: PLR0917  # as above
    code: Codes = None,
    codes_in: Ranges = None,
    source: Source = None,
    severity: Severity = None,
    since: Since = None,
    until: Until = None,
    long: Long = False,
    as_json: Json = False,
    folder: Dir = None,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Show all events that match, oldest first."""
    from qiki.audit.query import find  # noqa: PLC0415

    show = _printer(long=long, as_json=as_json)
    for entry in find(_folder(folder, name, run_dir), _query(code, codes_in, source, severity, since, until)):
        show(*entry)


@app.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="As --dir.")] = None,
    also_folder: Dir = None,
    key: Keys = None,
    nats: NatsUrl = None,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Check every record's hash, the chain, the signatures, and the end against the broker. Exit status 1: a fault."""
    from qiki_harness.cli.auditcheck import check  # noqa: PLC0415

    given = folder or also_folder
    log = _folder(given, name, run_dir)
    stack = Stack(run_folder(name, run_dir)) if not (nats or given) else None
    url = stack.info.addresses.get("NATS_URL") if stack and stack.alive else nats
    keys = keys_for(stack if stack and stack.alive else None)
    verdict = check(log, key or (), url, keys)
    echo(*verdict.lines())
    held = verdict.held
    if held and held.told and held.told.head:
        echo(f"Compared with the audit stream, which holds record {held.told.head.sequence}.")
    else:
        why = "it holds no record" if url else "no stack runs; --nats URL names one"
        echo(f"Not compared with the audit stream ({why}): what is cut off at the end does not show.")
    if held and held.anchors.newest:
        echo(f"Compared with the anchors' stream, which holds a signature of record {held.anchors.newest.sequence}.")
    if verdict.faults:
        raise typer.Exit(1)


def _folder(given: Path | None, name: str, run_dir: Path | None) -> Path:
    """Return the given folder, else the volume of the stack's registrar."""
    folder = given or Stack(run_folder(name, run_dir)).folder.data / "audit"
    if not folder.is_dir():
        raise HarnessError(f"no audit log in {folder}: start a stack with `qiki up`, or use --dir")
    return folder


def _query(codes: Codes, ranges: Ranges, source: Source, severity: Severity, since: Since, until: Until) -> "Query":
    from qiki.audit.query import Query, code_range, moment  # noqa: PLC0415
    from qiki.contracts.audit import SEVERITIES  # noqa: PLC0415
    from qiki.runtime.clock import now  # noqa: PLC0415

    least = next((one for one in SEVERITIES if severity and one == severity.upper()), None)
    if severity and not least:
        raise HarnessError(f"--severity {severity}: expected one of {', '.join(SEVERITIES)}")
    try:
        return Query(
            codes=tuple(codes or ()),
            ranges=tuple(code_range(text) for text in ranges or ()),
            source=source,
            severity=least,
            since=moment(since, now()) if since else None,
            until=moment(until, now()) if until else None,
        )
    except ValueError as error:
        raise HarnessError(str(error)) from None


def _printer(*, long: bool, as_json: bool) -> Callable[[bytes, Mapping[str, Any]], None]:
    return (lambda line, _: echo_json(line.decode().rstrip("\n"))) if as_json else EventLines(long=long).show
