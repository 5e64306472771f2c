"""The attempts to reconnect: which server, and after which pause."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from nats.aio.client import Server

from qiki.runtime.health import Health
from qiki.runtime.nats import Hooks, connection_options
from qiki.runtime.retry import RETRY_S
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings


@pytest.fixture
def next_attempt() -> Any:
    service = Service("example", ServiceSettings(), Health("example"))
    return connection_options(service, Hooks(), "nats")["reconnect_to_server_handler"]


def tried(*counts: int) -> list[Server]:
    return [Server(urlsplit(f"nats://127.0.0.1:{port}"), count) for port, count in enumerate(counts, start=1)]


def test_a_broker_that_is_back_soon_is_found_soon(next_attempt: Any):
    pauses = [next_attempt(tried(failures), {})[1] for failures in range(8)]
    assert 0 < pauses[0] <= 0.01
    assert pauses == sorted(pauses)
    assert pauses[-1] == RETRY_S


def test_the_server_that_was_tried_least_is_next(next_attempt: Any):
    server, _ = next_attempt(tried(3, 1, 2), {})
    assert server.uri.port == 2
