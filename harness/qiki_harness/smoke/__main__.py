"""`python -m qiki_harness.smoke`: exit status 0 all passed, 1 not all, 2 no stack found, or a wrong option."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from qiki.errors import UserError
from qiki.runtime.settings import load_settings
from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.options import compose_file
from qiki_harness.cli.output import complain
from qiki_harness.compose import ComposeFile
from qiki_harness.errors import HarnessError
from qiki_harness.smoke.bundle import FOLDER, leave_bundle
from qiki_harness.smoke.check import Check, CheckResult, run
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.report import all_passed, document, lines, listing, summary
from qiki_harness.smoke.target import SmokeSettings, Target, find_target

_USER_ERROR = 2
_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="smoke_test.sh",
        description="Check every part of the running stack: the one that NATS_URL and QSIM_GRPC name, else the "
        "native one. Exit status: 0 all passed, 1 not all, 2 no stack found.",
    )
    parser.add_argument("--list", action="store_true", help="list the checks, and make none")
    names = [check.name for check in CHECKS]
    parser.add_argument("--only", action="append", metavar="NAME", choices=names, help="make this check; repeatable")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--name", default="default", help="which native stack, if several run")
    parser.add_argument("--run-dir", type=Path, help="where the native stacks' run folders are")
    parser.add_argument(
        "--bundles", default=FOLDER, metavar="FOLDER", help="for the bundle of a failure (.qiki/bundles; '': none)"
    )
    return parser.parse_args(arguments)


def _make(checks: Sequence[Check], target: Target, bundles: str, *, as_json: bool) -> bool:
    """Make the checks and print their results; return whether all passed. If not, leave a bundle in a folder."""
    began_s = time.monotonic()
    width = max(len(check.name) for check in checks)

    def show(result: CheckResult) -> None:
        if not as_json:
            echo(*lines(result, width))

    with closing(target.connect()) as twin:
        results = run(checks, twin, show)
    took_s = time.monotonic() - began_s
    if as_json:
        echo_json(document(results, target, took_s))
    else:
        echo(summary(results, target, took_s))
    if bundles and not all_passed(results):
        echo(leave_bundle(results, target, Path(bundles)), stream=sys.stderr)
    return all_passed(results)


def _terminate(*_: object) -> None:
    """End as Ctrl-C does, so that the stranger of the guard's check still leaves."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `timeout` signals twice, and the second would end the leaving
    sys.exit(_TERMINATED)


def _take_env_file() -> None:
    """Take the services' settings of the project's `.env` too, below the environment: stacks are started with it."""
    try:
        file = compose_file()
    except HarnessError:
        return  # no project here
    compose = ComposeFile(file)
    for name, value in compose.dotenv().items():
        if name in compose.settings:
            os.environ.setdefault(name, value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the smoke test; return the exit status."""
    options = _options(arguments)
    checks = [check for check in CHECKS if not options.only or check.name in options.only]
    if options.list:
        echo(*listing(checks))
        return 0
    try:
        _take_env_file()
        target = find_target(load_settings(SmokeSettings), options.name, options.run_dir)
        signal.signal(signal.SIGTERM, _terminate)
        return 0 if _make(checks, target, options.bundles, as_json=options.json) else 1
    except UserError as error:
        complain(str(error))
        return _USER_ERROR
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
