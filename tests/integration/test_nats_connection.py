"""The connection to NATS where event loop and client meet."""

import asyncio
import re
import sys

import psutil
import pytest
import uvloop
from nats.aio.client import Client
from nats.aio.transport import TcpTransport

import qiki.runtime.transport  # noqa: F401 - mends it
from qiki.runtime.health import Health
from qiki.runtime.nats import connect
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, ServiceProcess, until_async
from qiki_harness.testing.broker import CONFIGURATION


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("write", [lambda tcp: tcp.write(b"PING\r\n"), lambda tcp: tcp.writelines([b"PING\r\n"])])
def test_a_write_to_a_transport_that_has_just_closed_is_a_lost_connection_at_most(tmp_path, runner, write):
    """asyncio says nothing and lets the reader find out; no loop may raise anything else."""

    async def run(url):
        host, port = url.removeprefix("nats://").split(":")
        transport = TcpTransport()
        transport._io_reader, transport._io_writer = await asyncio.open_connection(host, int(port))
        transport._io_writer.transport.abort()
        try:
            write(transport)
        except OSError as error:
            return str(error)
        return ""

    with Broker(tmp_path) as broker:
        said = runner(run(broker.url))
    assert said == "" or "closed" in said


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_attempts_to_reach_a_broker_that_hangs_leave_no_socket_behind(tmp_path, runner):
    async def run(broker):
        client, attempts = Client(), asyncio.Semaphore(0)

        async def failed(error):
            attempts.release()

        await client.connect(
            broker.url,
            connect_timeout=0.2,
            reconnect_time_wait=0.01,
            ping_interval=0.1,
            max_outstanding_pings=1,
            max_reconnect_attempts=-1,
            error_cb=failed,
        )
        broker.freeze()
        for _ in range(5):
            await attempts.acquire()
        open_sockets = [one for one in psutil.Process().net_connections("tcp") if one.raddr and one.raddr.port == port]
        broker.restart()
        while not client.is_connected:
            await asyncio.sleep(0.01)
        await client.close()
        return len(open_sockets)

    with Broker(tmp_path) as broker:
        port = int(broker.url.rpartition(":")[2])
        assert runner(run(broker)) <= 1


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
        client, reader, back = Client(), Client(), asyncio.Event()

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


def test_a_connection_on_which_messages_come_is_not_dead_though_no_ping_is_answered(tmp_path):
    async def run(url):
        broken, come, writer, client = asyncio.Event(), asyncio.Semaphore(0), Client(), Client()

        async def lost():
            broken.set()

        async def late():
            """The answers to pings stand behind the messages."""

        async def received(_):
            come.release()

        await writer.connect(url)
        await client.connect(url, ping_interval=0.5, max_outstanding_pings=2, disconnected_cb=lost)
        await client.subscribe("numbers", cb=received)
        await client.flush()
        client._process_pong = late
        for _ in range(150):
            await writer.publish("numbers", b"")
            await asyncio.wait_for(come.acquire(), 60)
            await asyncio.sleep(0.02)
        assert not broken.is_set()
        await asyncio.wait_for(broken.wait(), 60)
        await client.close()
        await writer.close()

    with Broker(tmp_path) as broker:
        asyncio.run(run(broker.url))


def test_a_reader_that_is_behind_is_not_taken_for_dead_by_the_broker(tmp_path):
    """Neither for the pings that it has not come to nor for what does not fit into its socket, in more than 10 s."""

    async def until_one_that_answers_nothing_is_cut_off(broker):
        reader, writer = await asyncio.open_connection(*broker.url.removeprefix("nats://").split(":"))
        writer.write(b"CONNECT {}\r\nPING\r\n")
        assert b"Stale Connection" in await asyncio.wait_for(reader.read(-1), 60)
        writer.close()

    async def run(broker):
        happened, writer, client = asyncio.Queue(), Client(), Client()

        async def lost():
            happened.put_nowait("lost")

        async def received(_):
            happened.put_nowait("received")

        await writer.connect(broker.url)
        await client.connect(broker.url, ping_interval=1.5, max_outstanding_pings=1000, disconnected_cb=lost)
        await client.subscribe("words")
        await client.subscribe("numbers", cb=received)
        await client.flush()
        client._transport._io_reader._transport.pause_reading()
        for _ in range(8):
            await writer.publish("words", bytes(4_000_000))
        for _ in range(4):  # ours sends a little, and it takes longer
            await until_one_that_answers_nothing_is_cut_off(broker)
        await writer.publish("numbers", b"")
        await writer.flush()
        client._transport._io_reader._transport.resume_reading()
        assert await asyncio.wait_for(happened.get(), 60) == "received"
        await client.close()
        await writer.close()

    configuration = tmp_path / "nats.conf"
    configuration.write_text(CONFIGURATION.read_text().replace('ping_interval: "2s"', 'ping_interval: "1s"'))
    with Broker(tmp_path, configuration) as broker:
        asyncio.run(run(broker))


def test_an_answer_that_comes_when_its_flush_has_given_up_ends_nothing(tmp_path):
    async def run(broker):
        heard, client = asyncio.Event(), Client()

        async def received(_):
            heard.set()

        await client.connect(broker.url)
        await client.subscribe("numbers", cb=received)
        await client.flush()
        broker.freeze()
        with pytest.raises(TimeoutError):
            await client.flush(timeout=0.1)
        broker.thaw()
        await client.publish("numbers", b"")
        await asyncio.wait_for(heard.wait(), 60)
        await client.close()

    with Broker(tmp_path) as broker:
        asyncio.run(run(broker))


def test_a_flush_says_that_all_sent_before_it_is_there(tmp_path):
    async def run(broker):
        client = Client()
        await client.connect(broker.url)
        await client.subscribe("words")
        await client.flush()
        await client.close()

    traced = tmp_path / "traced.conf"
    traced.write_text(CONFIGURATION.read_text() + "\ntrace: true\n")
    with Broker(tmp_path / "nats", traced) as broker:
        asyncio.run(run(broker))
        assert re.findall(r"<<- \[(PING|SUB)", broker.log.read_text()) == ["PING", "SUB", "PING"]
