"""`qiki ps`, `watch`, `logs`, `restart`, `down`: find the stack that a command is for, and drive it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.error import URLError

import typer

from qiki.runtime.terminal import OutputClosedError, echo
from qiki_harness.cli.options import (
    DEFAULT,
    Name,
    NatsUrl,
    RunDir,
    Service,
    compose_file,
    keys_for,
    run_folder,
    running_stack,
)
from qiki_harness.cli.output import LogView, complain, table
from qiki_harness.errors import EngineError, HarnessError, NoStackError
from qiki_harness.http import open_url
from qiki_harness.stack import ServiceStatus, Stack, StackInfo, State

if TYPE_CHECKING:
    from qiki_harness.containers import Containers

_WORKSPACE = "qiki-dev"
_RESTART_S = 60.0
_NOT_RUNNING = 3
_NO_ENGINE = "ask docker compose on the host, or reopen the devcontainer with QIKI_DOCKER_SOCKET=auto set there"
_WORKING_DIR = "com.docker.compose.project.working_dir"


def _in_workspace() -> bool:
    return bool(os.environ.get("QIKI_WORKSPACE"))


def _find_stack(name: str, run_dir: Path | None) -> "Stack | Containers":
    """Return the native stack of a name, else the compose stack of this workspace or checkout."""
    stack = Stack(run_folder(name, run_dir))
    if stack.alive:
        return stack
    nor = "and no compose stack of this project"
    try:
        if found := _of_engine():
            return found
    except EngineError as error:
        if _in_workspace():
            raise
        nor = f"and containers cannot be looked for ({error})"
    raise NoStackError(
        f"no stack {name!r} runs in {stack.folder.path.parent}, {nor}: start one with `qiki up`, or with docker compose"
    )


def _of_engine() -> "Containers | None":
    from qiki_harness.containers.containers import ONE_OFF, PROJECT, Containers, find_engine  # noqa: PLC0415

    try:
        engine = find_engine()
    except EngineError as error:
        if _in_workspace():
            raise EngineError(f"{error}: {_NO_ENGINE}") from None
        raise
    if _in_workspace():
        for own in engine.containers.list(filters={"id": socket.gethostname()}):
            return Containers(engine, own.labels[PROJECT])
        raise EngineError("the engine within reach is not the one that this workspace runs on")
    labels = [f"{_WORKING_DIR}={compose_file().parent}", f"{ONE_OFF}=False"]
    if chosen := os.environ.get("COMPOSE_PROJECT_NAME"):
        labels.append(f"{PROJECT}={chosen}")
    projects = {one.labels[PROJECT] for one in engine.containers.list(filters={"label": labels})}
    if len(projects) > 1:
        names = ", ".join(sorted(projects))
        raise HarnessError(f"several compose stacks of this checkout run: {names}: choose by COMPOSE_PROJECT_NAME")
    return Containers(engine, projects.pop()) if projects else None


def _restart_agent() -> None:
    """Let the workspace's main process restart the agent, and wait until the agent is ready."""
    from qiki_harness.keeper import PID_FILE, children  # noqa: PLC0415
    from qiki_harness.testing import until  # noqa: PLC0415

    keeper = int(PID_FILE.read_text(encoding="ascii"))
    before = children(keeper)
    os.kill(keeper, signal.SIGHUP)
    until("the agent to restart", lambda: set(children(keeper)) - set(before), _RESTART_S)
    until("the agent to be ready (the container's log says more)", _agent_is_ready, _RESTART_S)


def _agent_is_ready() -> bool:
    try:
        with open_url(f"http://127.0.0.1:{os.environ['QIKI_HTTP_PORT']}/readyz", timeout=5) as answer:
            return int(answer.status) == 200
    except (URLError, OSError):
        return False


def ps(name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Show the services of the stack: state, health, pid, ports, restarts, uptime.

    Exit status 3: no stack of this name runs.
    """
    try:
        stack = _find_stack(name, run_dir)
    except NoStackError as error:
        complain(str(error))
        raise typer.Exit(_NOT_RUNNING) from None
    statuses = stack.info.services if isinstance(stack, Stack) else stack.statuses()
    head = ("SERVICE", "STATE", "HEALTH", "PID", "PORTS", "RESTARTS", "UPTIME")
    echo(*table(head, [_row(status) for status in statuses.values()]))


def logs(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only this service.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="New lines too, until the stack ends or Ctrl-C.")
    ] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of each service's last lines.")] = 50,
    name: Name = DEFAULT,
    run_dir: RunDir = None,
) -> None:
    """Show the services' logs, also of a stack that has ended; `qiki` is the supervisor's log."""
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive and (found := _compose_stack(stack, name, run_dir)):
        options = [f"--tail={lines}", *(["--follow"] if follow else []), *([service] if service else [])]
        sys.exit(_show_output([*found.compose, "logs", *options]))
    view = LogView(stack, _sources(stack.info, service))
    view.show_last(lines)
    if follow:
        with suppress(KeyboardInterrupt):
            view.follow()


def _show_output(command: Sequence[str]) -> int:
    """Print what a program prints; return its exit status."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            for line in process.stdout or ():
                echo(line.rstrip("\n"))
        except KeyboardInterrupt:  # it gets that too
            pass
        except OutputClosedError:
            process.terminate()
            raise
    return process.returncode


def restart(service: Service, name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Stop a service, start it again, and wait until it is ready."""
    began = time.monotonic()
    if service == _WORKSPACE and _in_workspace():
        _restart_agent()
    else:
        _find_stack(name, run_dir).restart(service)
    echo(f"{service} is ready again after {time.monotonic() - began:.1f} s.")


def down(name: Name = DEFAULT, run_dir: RunDir = None) -> None:
    """Stop the stack in reverse order of its start. Data and logs are kept.

    Exit status 0: it does not run any more, or did not run before.
    """
    stack = Stack(run_folder(name, run_dir))
    if not stack.alive:
        echo(f"No stack {name!r} runs.")
        return
    stack.stop()
    echo(f"Stack {name!r} is stopped.")


def _compose_stack(stack: Stack, name: str, run_dir: Path | None) -> "Containers | None":
    """Return the compose stack if no native one runs; None means the native one, which has ended."""
    there = stack.folder.info_file.exists()
    try:
        found = None if there and name != DEFAULT else _find_stack(name, run_dir)
    except HarnessError:
        if not there:
            raise
        found = None
    if isinstance(found, Stack):  # it has started just now
        return None
    if not found:
        echo(f"Stack {name!r} has ended; these are its last lines.", stream=sys.stderr)
    return found


def _row(status: ServiceStatus) -> tuple[str, ...]:
    state = f"{status.state} ({status.exit_code})" if status.state is State.EXITED else str(status.state)
    up_s = time.time() - status.started_at if status.pid and status.started_at else None
    ports = " ".join(str(port) for port in status.ports.values()) or "-"
    uptime = "-" if up_s is None else _duration(up_s)
    return status.name, state, str(status.health), str(status.pid or "-"), ports, str(status.restarts), uptime


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _sources(info: StackInfo, service: str | None) -> list[str]:
    every = [*info.services, "qiki"]
    if service and service not in every:
        raise HarnessError(f"no service {service!r} here: there are {', '.join(every)}")
    return [service] if service else every


def watch(nats: NatsUrl = None, name: Name = "default", run_dir: RunDir = None) -> None:
    """Show the live tracks and the health of the services, until Ctrl-C.

    Without a terminal: lines, once a second. NATS may come and go.
    """
    import asyncio  # noqa: PLC0415

    from qiki_harness.cli.feed import Feed  # noqa: PLC0415  # nats and pydantic
    from qiki_harness.cli.screen import show_lines, show_live  # noqa: PLC0415

    stack = None if nats else running_stack(name, run_dir)
    feed = Feed(nats or (stack.info.addresses["NATS_URL"] if stack else ""), keys_for(stack))
    try:
        asyncio.run((show_live if sys.stdout.isatty() else show_lines)(feed, stack))
    except KeyboardInterrupt:
        return
