"""Tests of the compose stack itself, on a real engine: `tox -e faults`, or `pytest --stack compose tests/compose`."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from qiki_harness.containers.stage import ContainerBacking
from qiki_harness.twin import Twin

CLOCKS_APART = timedelta(seconds=5)  # at most, the engine's and this machine's


@pytest.fixture
def containers(container_stack):
    """The containers of the stack, all of them ready."""
    containers = container_stack.containers
    containers.wait_ready()
    return containers


@pytest.fixture
def watch(container_stack):
    """Opens a twin that reads the streams anew, from where the test began."""
    began = datetime.now(UTC) - CLOCKS_APART

    @contextmanager
    def opened():
        backing = ContainerBacking(container_stack.addresses, container_stack.project)
        twin = Twin(backing, datetime.now(UTC) - began)
        try:
            yield twin
        finally:
            twin.close()

    return opened


REGISTERED = """
import json, pathlib
from qiki.audit.query import Query, find
print(json.dumps([record["event_id"] for _, record in find(pathlib.Path("/data/audit"), Query())]))
"""


@pytest.fixture
def registered(containers):
    """Asks for the ids of all events in the audit log."""

    def ask():
        status, output = containers.execute("registrar", "python", "-c", REGISTERED)
        assert status == 0, output
        return json.loads(output)

    return ask
