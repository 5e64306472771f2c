"""The connection to NATS where event loop and client meet."""

import asyncio

import pytest
import uvloop
from nats.aio.transport import TcpTransport

import qiki.runtime.nats  # noqa: F401 - what mends the transport
from qiki_harness.testing import Broker


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
