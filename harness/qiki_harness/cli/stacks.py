"""`qiki ps`, `logs`, `restart`, `down`: commands on a running stack."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki_harness.cli.found import WORKSPACE, find_stack, in_workspace, restart_agent
from qiki_harness.cli.log_view import LogView
from qiki_harness.cli.options import DEFAULT, Name, RunDir, Service, run_folder
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError
from qiki_harness.stack import ServiceStatus, Stack, StackInfo, State

if TYPE_CHECKING:
    from qiki_harness.containers import Containers


def ps(name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Show the services of the stack: state, health, pid, ports, restarts, uptime."""
    stack = find_stack(name, run_dir)
    statuses = stack.info.services if isinstance(stack, Stack) else stack.statuses()
    head = ("SERVICE", "STATE", "HEALTH", "PID", "PORTS", "RESTARTS", "UPTIME")
    print(table(head, [_row(status) for status in statuses.values()]))


def logs(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only this service.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show new lines too, until the stack ends or Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=0, help="How many of the last lines of each service.")
    ] = 50,
    name: Name = DEFAULT,
    run_dir: RunDir = None,
) -> None:
    """Show the services' logs, also of a stack that has ended; `qiki` is the supervisor's log."""
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive and (found := _compose_stack(stack, name, run_dir)):
        options = [f"--tail={lines}", *(["--follow"] if follow else []), *([service] if service else [])]
        sys.exit(subprocess.call([*found.compose, "logs", *options]))
    view = LogView(stack, _sources(stack.info, service))
    view.show_last(lines)
    if follow:
        with suppress(KeyboardInterrupt):
            view.follow()


def restart(service: Service, name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Stop a service, start it again, and wait until it is ready."""
    began = time.monotonic()
    if service == WORKSPACE and in_workspace():
        restart_agent()
    else:
        find_stack(name, run_dir).restart(service)
    print(f"{service} is ready again after {time.monotonic() - began:.1f} s.")


def down(name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Stop the stack in reverse order of its start. Data and logs are kept."""
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive:
        print(f"No stack {name!r} runs.")
        return
    stack.stop()
    print(f"Stack {name!r} is stopped.")


def _compose_stack(stack: Stack, name: str, run_dir: Path | None) -> "Containers | None":
    """Return the compose stack if no native one runs; None means the native one, which has ended."""
    there = stack.folder.info_file.exists()
    try:
        found = None if there and name != DEFAULT else find_stack(name, run_dir)
    except HarnessError:
        if not there:
            raise
        found = None
    if isinstance(found, Stack):  # it has started just now
        return None
    if not found:
        print(f"Stack {name!r} has ended; these are its last lines.", file=sys.stderr)
    return found


def _row(status: ServiceStatus) -> tuple[str, ...]:
    state = f"{status.state} ({status.exit_code})" if status.state is State.EXITED else str(status.state)
    up_s = time.time() - status.started_at if status.pid and status.started_at else None
    return (
        status.name,
        state,
        str(status.health),
        str(status.pid or "-"),
        " ".join(str(port) for port in status.ports.values()) or "-",
        str(status.restarts),
        "-" if up_s is None else _duration(up_s),
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _sources(info: StackInfo, service: str | None) -> list[str]:
    every = [*info.services, "qiki"]
    if service and service not in every:
        raise HarnessError(f"no service {service!r} here: there are {', '.join(every)}")
    return [service] if service else every
