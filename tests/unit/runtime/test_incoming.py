"""Messages that their publisher made to be stumbled over, read by the client's own parser."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext

import qiki.runtime.incoming  # noqa: F401 - mends it

GOOD = b"MSG qiki.good 1 2\r\n{}\r\n"


def read(raw: bytes) -> list[Msg]:
    """What a subscription gets of these bytes from the server."""

    async def run() -> list[Msg]:
        client = Client()
        subscription = client._subs[1] = Subscription(client, 1, ">")
        await client._ps.parse(raw)
        return [subscription._pending_queue.get_nowait() for _ in range(subscription._pending_queue.qsize())]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (b"qiki.caf\xe9", "qiki.caf�"),
        ("qiki.café".encode(), "qiki.café"),
        (b"qiki.a\x0bb", "qiki.a\x0bb"),
        (b"qiki.a\x0cb", "qiki.a\x0cb"),
        (b"qiki.a\x00b", "qiki.a\x00b"),
    ],
)
def test_a_subject_of_any_bytes_is_read_and_so_is_the_next_message(wire: bytes, text: str):
    for head, size in ((b"MSG", b"2"), (b"HMSG", b"12 14")):
        block = b"" if head == b"MSG" else b"NATS/1.0\r\n\r\n"
        raw = b"%s %s 1 $JS.ACK.S.d.1.2.3.4.5 %s\r\n%s{}\r\n" % (head, wire, size, block)
        message, good = read(raw + GOOD)
        assert (message.subject, message.reply, message.data) == (text, "$JS.ACK.S.d.1.2.3.4.5", b"{}")
        assert good.subject == "qiki.good"


@pytest.mark.parametrize("block", [b"X", b"NATS/1.0", b"NATS/1.0 404 \xff\r\n\r\n", b"NATS/1.0 \xff\xff\xff\r\n\r\n"])
def test_headers_that_are_none_count_as_none(block: bytes):
    message, good = read(b"HMSG qiki.a 1 %d %d\r\n%s{}\r\n" % (len(block), len(block) + 2, block) + GOOD)
    assert (message.headers, message.data, good.subject) == (None, b"{}", "qiki.good")


def test_headers_as_they_should_be_are_read():
    block = "NATS/1.0\r\nStatus: 404\r\nx-name: é\r\n\r\n".encode()
    (message,) = read(b"HMSG qiki.a 1 %d %d\r\n%s{}\r\n" % (len(block), len(block) + 2, block))
    assert message.headers == {"Status": "404", "x-name": "é"}


@pytest.mark.parametrize(
    ("reply", "status"),
    [("$JS.ACK.S.durable.1.2.3.4.5", None), ("$JS.ACK._.hash.S.durable.1.2.3.4.5.x", None), ("", "404")],
)
def test_a_stored_message_is_never_a_word_of_the_server(reply: str, status: str | None):
    message = Msg(Client(), "qiki.a", reply, b"", {"Status": "404"})
    assert JetStreamContext.is_status_msg(message) == status
    assert JetStreamContext.is_status_msg(None) is None
