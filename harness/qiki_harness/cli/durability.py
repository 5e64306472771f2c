"""`qiki durability`: what is promised to survive a power failure, and whether this broker and its disk keep it."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from qiki.runtime.terminal import GREEN, RED, Line, Painted, echo, echo_json
from qiki_harness.cli.options import Name, NatsUrl, RunDir, running_stack

if TYPE_CHECKING:
    from qiki_harness.durability import Finding, Report

_MONITORING_PORT = 8222

NatsHttp = Annotated[str | None, typer.Option(envvar="NATS_HTTP", help="Its monitoring, if not the stack's own.")]


def durability(
    nats_http: NatsHttp = None,
    nats: NatsUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Compare what an acknowledgement promises with the running broker. Exit status 1: something does not hold."""
    from qiki_harness.durability import report  # noqa: PLC0415

    if url := nats_http or (nats and _monitoring(nats)):
        found = report(url)
    else:
        stack = running_stack(name, run_dir)
        folders = {one.name: one for one in sorted(stack.folder.data.iterdir()) if one.name != "jetstream"}
        found = report(stack.info.addresses["NATS_HTTP"], stack.info.services["nats"].pid, folders)
    if as_json:
        echo_json(found.to_json())
    else:
        echo(*_table(found))
    if not found.holds:
        raise typer.Exit(1)


def _monitoring(nats: str) -> str:
    """Return the usual address of the monitoring beside a server's own."""
    return f"http://{urlsplit(nats).hostname or '127.0.0.1'}:{_MONITORING_PORT}"


def _table(found: "Report") -> "list[Line]":
    width = max(len(finding.name) for finding in found.findings)
    lines = [line for finding in found.findings for line in _lines(finding, width)]
    verdict = "holds" if found.holds else "does NOT hold"
    return [*lines, f"What is declared {verdict} on {found.broker}."]


def _lines(finding: "Finding", width: int) -> "list[Line]":
    mark = Painted("✗", RED) if finding.broken else Painted("✓", GREEN)
    head = (mark, f" {finding.name.ljust(width)}  {finding.declared.ljust(7)}  {finding.seen}".rstrip())
    broken = [f"    {text}" for text in finding.broken]
    return [head, *broken, *(f"    cannot be seen: {text}" for text in finding.unseen)]
