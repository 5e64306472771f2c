"""Find the stack that a command is for: the native one of a name, else this project's compose stack."""

import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from qiki_harness.cli.options import compose_file, run_folder
from qiki_harness.errors import EngineError, HarnessError
from qiki_harness.http import open_url
from qiki_harness.stack import Stack

if TYPE_CHECKING:
    from qiki_harness.containers import Containers

WORKSPACE = "qiki-dev"
_RESTART_S = 60.0
_WORKING_DIR = "com.docker.compose.project.working_dir"


def in_workspace() -> bool:
    """Whether this runs in the container of the workspace."""
    return bool(os.environ.get("QIKI_WORKSPACE"))


def find_stack(name: str, run_dir: Path | None) -> "Stack | Containers":
    """Return the native stack of a name, else the compose stack of this workspace or checkout.

    Raises:
        HarnessError: neither runs.
    """
    stack = Stack(run_folder(name, run_dir))
    if stack.alive:
        return stack
    nor = "and no compose stack of this project"
    try:
        if found := _of_engine():
            return found
    except EngineError as error:
        if in_workspace():
            raise
        nor = f"and containers cannot be looked for ({error})"
    raise HarnessError(
        f"no stack {name!r} runs in {stack.folder.path.parent}, {nor}: start one with `qiki up`, or with docker compose"
    )


def _of_engine() -> "Containers | None":
    from qiki_harness.containers.containers import ONE_OFF, PROJECT, Containers  # noqa: PLC0415
    from qiki_harness.containers.engine import find_engine  # noqa: PLC0415

    try:
        engine = find_engine()
    except EngineError as error:
        if in_workspace():
            raise EngineError(f"{error}. The devcontainer has one; else ask docker compose on the host") from None
        raise
    if in_workspace():
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


def restart_agent() -> None:
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
