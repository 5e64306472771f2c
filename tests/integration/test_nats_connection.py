"""The connection to NATS where event loop and client meet."""

import asyncio
import sys

import pytest
import uvloop

from qiki.runtime.health import Health
from qiki.runtime.nats import connect, new_client
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, ServiceProcess, until_async

REFUSED = """
from qiki.runtime.nats import connect
from qiki.runtime.service import run_service
from qiki.runtime.settings import ServiceSettings

async def main(service):
    async with connect(service) as link:
        await link.client.publish("a" * 5000, b"")
        while True:
            await link.client.publish("b", bytes(100_000))

run_service("example", ServiceSettings, main)
"""


def test_a_connection_that_the_server_closes_for_good_ends_the_service_in_one_line(tmp_path):
    """Also while it writes: then nothing more can be written before the end."""
    with Broker(tmp_path) as broker:
        command = [sys.executable, "-c", REFUSED]
        with ServiceProcess(command, tmp_path / "log", NATS_URL=broker.url, QIKI_HTTP_PORT=0) as example:
            assert example.wait() == 1
    assert [line["event"] for line in example.lines() if line["level"] == "error"] == [
        "NATS connection closed for good"
    ]
    assert "maximum control line exceeded" in example.said("NATS connection closed for good")["reason"]
    assert "Traceback" not in example.words()


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_whether_the_server_or_we_close_a_connection_is_told_apart(tmp_path, runner):
    async def run(url, text):
        service = Service("example", ServiceSettings(nats_url=url), Health("example"))
        async with asyncio.timeout(30), connect(service) as link:
            link.client._pending, link.client._pending_data_size = [b"PING\r\n"], 6
            link.client._transport.write(text)
            if text == b"NONSENSE\r\n":
                await service.failed.wait()
        return service.failed.is_set()

    with Broker(tmp_path) as broker:
        assert runner(run(broker.url, b"NONSENSE\r\n"))
        assert not runner(run(broker.url, b"PING\r\n"))


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_a_connection_is_closed_also_where_the_broker_hangs(tmp_path, runner):
    async def run(broker):
        service = Service("example", ServiceSettings(nats_url=broker.url), Health("example"))
        async with connect(service) as link:
            broker.freeze()
        return link.client.is_closed

    with Broker(tmp_path) as broker:
        assert runner(run(broker))


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_what_is_pending_at_the_close_is_sent_also_after_a_connection_that_was_lost(tmp_path, runner):
    async def run(broker):
        client, reader, back = new_client(), new_client(), asyncio.Event()

        async def restored():
            back.set()

        options = {"reconnect_time_wait": 0.01, "max_reconnect_attempts": -1}
        await client.connect(broker.url, reconnected_cb=restored, **options)
        broker.kill()
        await until_async("an attempt to fail", lambda: asyncio.sleep(0, isinstance(client.last_error, OSError)))
        broker.start()
        await back.wait()
        await reader.connect(broker.url)
        heard = await reader.subscribe("last.words")
        await reader.flush()
        await client.publish("last.words", b"")
        await client.close()
        message = await heard.next_msg(timeout=10)
        await reader.close()
        return message.subject

    with Broker(tmp_path) as broker:
        assert runner(run(broker)) == "last.words"
