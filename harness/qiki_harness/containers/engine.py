"""The container engine, if one answers."""

import os
from typing import TYPE_CHECKING

from qiki_harness.errors import EngineError

if TYPE_CHECKING:
    from docker import DockerClient

_ANSWER_S = 60


def find_engine() -> "DockerClient":
    """Return the engine that DOCKER_HOST names, else the one of this machine.

    Raises:
        EngineError: none answers, or its library is not installed.
    """
    try:
        import docker  # noqa: PLC0415  # a tool, which the services' own environment does not have
    except ImportError:
        raise EngineError("the container engine's library is not installed: scripts/setup dev") from None
    try:
        client = docker.from_env(timeout=_ANSWER_S)
        client.ping()
    except docker.errors.DockerException as error:
        where = os.environ.get("DOCKER_HOST", "its usual place")
        raise EngineError(f"no container engine answers at {where} ({type(error).__name__})") from None
    return client
