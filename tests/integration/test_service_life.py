"""A service that cannot do its work ends, so that a new process takes its place. Real processes, a real broker."""

import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiki_harness.testing import Broker, ServiceProcess, until

EXAMPLE = """
import asyncio
import threading
import time
from pathlib import Path

from qiki.runtime import health
from qiki.runtime.nats import connect
from qiki.runtime.service import run_service
from qiki.runtime.settings import ServiceSettings
from qiki.runtime.tasks import TaskGroup

async def fail(*_):
    raise KeyError("of ours")

async def main(service):
    async with connect(service) as link:
{}

run_service("example", ServiceSettings, main)
"""
Example = Callable[..., ServiceProcess]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@pytest.fixture
def example(tmp_path: Path, broker: Broker) -> Iterator[Example]:
    """Start a service that does this on its connection."""
    started: list[ServiceProcess] = []

    def start(work: str, **settings: object) -> ServiceProcess:
        code = EXAMPLE.format(textwrap.indent(textwrap.dedent(work), " " * 8))
        log = tmp_path / f"log-{len(started)}"
        process = ServiceProcess([sys.executable, "-c", code], log, NATS_URL=broker.url, QIKI_HTTP_PORT=0, **settings)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


STAY = "await service.stopping.wait()"
HANG = "threading.Event().wait()"


def outlast_a_watchdog(example: Example) -> None:
    """Wait until a service that hangs has been ended by its watchdog, with a patience of 2 s."""
    assert example(HANG, QIKI_WATCHDOG_SEC=2).wait() == 1


def ended_by_a_bug(process: ServiceProcess) -> bool:
    assert process.wait() == 1
    (line,) = (line for line in process.lines() if line["level"] == "error")
    return line["event"] == "ended by a bug" and "KeyError: 'of ours'" in line["exception"]


def test_a_failing_hook_of_a_lost_connection_ends_the_service(example: Example, broker: Broker):
    """It ended the client's task that reconnects: the connection was lost for good, and nobody said so."""
    process = example(f"link.hooks.on_lost.append(fail)\n{STAY}").ready()
    broker.kill()
    assert ended_by_a_bug(process)


def test_a_failing_callback_of_a_subscription_ends_the_service(example: Example):
    process = example(f"""
        await link.client.subscribe("numbers", cb=fail)
        await link.client.publish("numbers", b"")
        {STAY}
    """)
    assert ended_by_a_bug(process)


def test_a_failing_task_ends_the_service_though_its_main_coroutine_does_not_wait_for_it(example: Example):
    process = example(f"""
        async with TaskGroup() as group:
            group.create_task(fail())
            {STAY}
    """)
    assert ended_by_a_bug(process)


def test_a_failing_event_queue_ends_the_service(example: Example):
    """As every task that a context runs in the background."""
    process = example(f"""
        class Broken:
            publish = fail
        async with service.events.sent_by(Broken()):
            {STAY}
    """)
    assert ended_by_a_bug(process)


def test_a_lost_connection_is_alive_while_it_is_tried_again(example: Example, broker: Broker):
    process = example(f"health.ABANDONED_AFTER_S = 1.0\n{STAY}", QIKI_WATCHDOG_SEC=1).ready()
    hangs = example(HANG, QIKI_WATCHDOG_SEC=4)  # its watchdog is the later one
    until("the other to hang", lambda: hangs.get("/healthz")[0] == 503)
    broker.kill()
    until("it to be unready", lambda: process.get("/readyz")[0] == 503)
    while not hangs.said("not alive: ends itself"):
        assert process.get("/healthz")[0] == 200
    broker.start()
    process.ready()


def test_a_lost_connection_that_is_not_tried_again_ends_the_service(example: Example, broker: Broker):
    process = example(
        f"""
        health.ABANDONED_AFTER_S = 0.5
        async def give_up():
            asyncio.current_task().cancel()
        link.hooks.on_lost.append(give_up)
        {STAY}
        """,
        QIKI_WATCHDOG_SEC=2,
    ).ready()
    broker.restart()
    until("it to be dead", lambda: '"abandoned"' in process.get("/healthz")[1])
    assert process.wait() == 1
    last = process.lines()[-1]
    assert (last["event"], list(last["waiting_for"])) == ("not alive: ends itself", ["nats"])


def test_a_service_that_was_stopped_for_longer_than_the_watchdog_waits_goes_on(example: Example):
    process = example(STAY, QIKI_WATCHDOG_SEC=2).ready()
    process.signal(signal.SIGSTOP)
    outlast_a_watchdog(example)
    process.signal(signal.SIGCONT)
    process.ready()
    assert process.terminate() == 0


def test_a_watchdog_that_is_off_lets_a_hang_be(example: Example, tmp_path: Path):
    hang_ends = tmp_path / "hang-ends"
    process = example(f"while not Path({str(hang_ends)!r}).exists(): time.sleep(0.01)\n{STAY}", QIKI_WATCHDOG_SEC=0)
    until("it to hang", lambda: process.get("/healthz")[0] == 503)
    outlast_a_watchdog(example)
    hang_ends.touch()
    process.ready()
    assert process.terminate() == 0
