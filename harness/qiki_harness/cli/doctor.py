"""`qiki doctor`: whether this machine has what the project needs, and how to get what is missing."""

import sys
from typing import Annotated

import typer

from qiki_harness.cli.options import File, compose_file
from qiki_harness.cli.output import GREEN, RED, paint


def doctor(
    file: File = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is wrong.")] = False,
) -> None:
    """Check Python, the locked packages, the NATS server, the stubs, ports, disk and, if there, the engine."""
    from qiki_harness.cli.checks import Verdict, all_checks  # noqa: PLC0415  # YAML and subprocesses

    marks = {
        Verdict.GOOD: paint("✓", GREEN),
        Verdict.BAD: paint("✗", RED),
        Verdict.NOTE: "-",
    }
    findings = [check() for check in all_checks(compose_file(file))]
    for finding in findings:
        if finding.verdict is Verdict.BAD or not quiet:
            print(f"{marks[finding.verdict]} {finding.text}")
            if finding.remedy:
                print(f"    {finding.remedy}")
    sys.exit(any(finding.verdict is Verdict.BAD for finding in findings))
