"""`qiki doctor`: check that this machine has what the project needs, and say how to get what is missing."""

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
    from qiki_harness.cli.checks import Grade, all_checks  # noqa: PLC0415  # YAML and subprocesses

    marks = {Grade.GOOD: paint("✓", GREEN), Grade.BAD: paint("✗", RED), Grade.NOTE: "-"}
    findings = [check() for check in all_checks(compose_file(file))]
    for finding in findings:
        if finding.grade is Grade.BAD or not quiet:
            print(f"{marks[finding.grade]} {finding.text}")
            if finding.remedy:
                print(f"    {finding.remedy}")
    sys.exit(any(finding.grade is Grade.BAD for finding in findings))
