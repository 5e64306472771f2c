"""Every patch of nats-py: what it gives, and that the original still has the defect. If not, the patch can go."""

import asyncio
import contextlib
import inspect
import re
import runpy
import ssl
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.errors import ProtocolError
from nats.js import JetStreamContext
from nats.protocol import parser

from qiki.runtime import nats_patches
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.identities.reload import reload
from qiki.runtime.nats import new_client
from qiki.runtime.nats_patches import PATCHES, Patch
from qiki_harness.testing import Broker, StackKeys
from qiki_harness.testing.processes import CONFIGURATION

GOOD = b"MSG qiki.good 1 2\r\n{}\r\n"
REPLY = "$JS.ACK.S.durable.1.2.3.4.5"
both = pytest.mark.parametrize("patched", [True, False], ids=["patched", "original"])
Without = Callable[[object], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Takes one patch away and leaves the others."""
    nats_patches.apply()

    def take_away(patched: object) -> None:
        for owner, name in {(one.owner, one.name): 0 for one in PATCHES if one.patched is patched}:
            monkeypatch.setattr(owner, name, original(owner, name))
            for other in PATCHES:
                if (other.owner, other.name) == (owner, name) and other.patched is not patched:
                    other.apply()

    return take_away


def original(owner: object, name: str) -> object:
    """What nats-py has there itself."""
    if owner is parser:
        return runpy.run_path(str(parser.__file__))[name]
    return inspect.unwrap(getattr(owner, name))


def test_the_patches_are_for_the_version_that_is_installed():
    assert version("nats-py").startswith(f"{nats_patches.VERSION}.")


def test_they_are_applied_once():
    nats_patches.apply()
    before = [getattr(one.owner, one.name) for one in PATCHES]
    new_client()
    assert [getattr(one.owner, one.name) for one in PATCHES] == before


@pytest.mark.parametrize("patch", PATCHES, ids=lambda one: f"{one.patched.__name__}-{one.name}")
def test_each_tells_its_defect_and_the_tests_run_the_original_too(patch: Patch):
    assert patch.patched.__doc__
    assert f"without(nats_patches.{patch.patched.__name__})" in Path(__file__).read_text()


@both
@pytest.mark.parametrize("write", [lambda tcp: tcp.write(b"PING\r\n"), lambda tcp: tcp.writelines([b"PING\r\n"])])
def test_a_write_to_a_closed_transport_is_a_lost_connection(
    tmp_path: Path, without: Without, write: Callable[[TcpTransport], None], patched: bool
):
    if not patched:
        without(nats_patches._lost_when_closed)

    async def run(url: str) -> None:
        host, port = url.removeprefix("nats://").split(":")
        transport = TcpTransport()
        transport._io_reader, transport._io_writer = await asyncio.open_connection(host, int(port))
        transport._io_writer.transport.abort()
        await transport.wait_closed()
        with pytest.raises(OSError if patched else RuntimeError, match="closed"):
            write(transport)

    with Broker(tmp_path) as broker:
        uvloop.run(run(broker.url))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the original's sockets
@both
def test_attempts_to_reach_a_hanging_broker_leave_no_socket(tmp_path: Path, without: Without, patched: bool):
    if not patched:
        without(nats_patches._one_socket)

    async def run(broker: Broker) -> int:
        client, attempts = new_client(), asyncio.Semaphore(0)

        async def failed(_: Exception) -> None:
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
        assert (uvloop.run(run(broker)) <= 1) is patched


@both
@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_lost_connection_is_told_though_not_all_is_sent(
    tmp_path: Path, without: Without, patched: bool, run_loop: Callable[..., bool]
):
    """The broker hangs as one behind a cut link does: it reads nothing and answers no ping."""
    if not patched:
        without(nats_patches._lost_though_unsent)

    async def run(broker: Broker) -> bool:
        client, lost = new_client(), asyncio.Event()

        async def told() -> None:
            lost.set()

        await client.connect(
            broker.url,
            ping_interval=0.1,
            max_outstanding_pings=1,
            reconnect_time_wait=0.01,
            max_reconnect_attempts=-1,
            disconnected_cb=told,
        )
        broker.freeze()
        transport = client._transport._io_writer.transport
        while not transport.get_write_buffer_size():
            transport.write(b"PUB words 100000\r\n" + bytes(100_000) + b"\r\n")
        while not client.is_reconnecting:
            await asyncio.sleep(0.01)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lost.wait(), 2)
        told_in_time = lost.is_set()
        broker.thaw()
        while not client.is_connected:
            await asyncio.sleep(0.01)
        await client.close()
        return told_in_time

    with Broker(tmp_path) as broker:
        assert run_loop(run(broker)) is patched


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="wait_for no longer swallows a cancellation")
@both
def test_no_attempt_follows_a_cancellation_that_comes_as_one_fails(
    monkeypatch: pytest.MonkeyPatch, without: Without, patched: bool
):
    if not patched:
        without(nats_patches._none_after_the_close)

    async def refused(**_: object) -> None:
        asyncio.get_running_loop().call_soon(attempt.cancel)
        raise ConnectionRefusedError

    async def run() -> bool:
        nonlocal attempt
        monkeypatch.setattr(asyncio, "open_connection", refused)
        uri = Client()
        uri._setup_server_pool(["nats://127.0.0.1:1"])
        attempt = asyncio.create_task(TcpTransport().connect(uri._server_pool[0].uri, 1, 1))
        (ended,) = await asyncio.gather(attempt, return_exceptions=True)
        return isinstance(ended, asyncio.CancelledError)

    attempt: asyncio.Task[None]
    assert asyncio.run(run()) is patched


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the original's task
@both
def test_a_connection_that_the_server_closes_is_told_though_something_is_pending(
    tmp_path: Path, without: Without, patched: bool
):
    if not patched:
        without(nats_patches._closed_though_pending)

    async def run(url: str) -> bool:
        client, closed = new_client(), asyncio.Event()

        async def told() -> None:
            closed.set()

        await client.connect(url, closed_cb=told)
        client._pending, client._pending_data_size = [b"PING\r\n"], 6
        client._transport._io_writer.transport.abort()
        await client._process_err("'Unknown Protocol Operation'")
        await asyncio.wait([one for one in asyncio.all_tasks() if one is not asyncio.current_task()], timeout=60)
        return closed.is_set()

    with Broker(tmp_path) as broker:
        assert asyncio.run(run(broker.url)) is patched


@both
def test_a_flush_comes_after_all_that_was_sent_before_it(tmp_path: Path, without: Without, patched: bool):
    if not patched:
        without(nats_patches._after_pending)

    async def run(url: str) -> None:
        client = new_client()
        await client.connect(url)
        await client.subscribe("words")
        await client.flush()
        await client.close()

    traced = tmp_path / "traced.conf"
    traced.write_text(CONFIGURATION.read_text() + "\ntrace: true\n")
    with Broker(tmp_path / "nats", traced) as broker:
        asyncio.run(run(broker.url))
        order = re.findall(r"<<- \[(PING|SUB)", broker.log.read_text())
    # What the original sends behind the flush may not come before the connection is closed.
    assert order == ["PING", "SUB", "PING"] if patched else order[:2] == ["PING", "PING"]


@both
def test_a_connection_on_which_messages_come_is_alive_though_no_ping_is_answered(
    tmp_path: Path, without: Without, patched: bool
):
    if not patched:
        without(nats_patches._alive_while_messages_come)

    async def run(url: str) -> bool:
        lost, come, writer, client = asyncio.Event(), asyncio.Semaphore(0), new_client(), new_client()

        async def disconnected() -> None:
            lost.set()
            come.release()  # the message under way is lost with it

        async def late() -> None:
            """The answers to pings stand behind the messages."""

        async def received(_: Msg) -> None:
            come.release()

        await writer.connect(url)
        await client.connect(url, ping_interval=0.5, max_outstanding_pings=2, disconnected_cb=disconnected)
        await client.subscribe("numbers", cb=received)
        await client.flush()
        client._process_pong = late
        for _ in range(150):
            if lost.is_set():
                break
            await writer.publish("numbers", b"")
            await asyncio.wait_for(come.acquire(), 60)
            await asyncio.sleep(0.02)
        alive = not lost.is_set()
        await asyncio.wait_for(lost.wait(), 60)
        await client.close()
        await writer.close()
        return alive

    with Broker(tmp_path) as broker:
        assert asyncio.run(run(broker.url)) is patched


@both
def test_a_reader_that_is_behind_is_not_taken_for_dead_by_the_broker(tmp_path: Path, without: Without, patched: bool):
    """Neither for the pings that it has not come to nor for what does not fit into its socket, in more than 10 s."""
    if not patched:
        without(nats_patches._answered_beforehand)

    async def until_one_that_answers_nothing_is_cut_off(broker: Broker) -> None:
        reader, writer = await asyncio.open_connection(*broker.url.removeprefix("nats://").split(":"))
        writer.write(b"CONNECT {}\r\nPING\r\n")
        assert b"Stale Connection" in await asyncio.wait_for(reader.read(-1), 60)
        writer.close()

    async def run(broker: Broker) -> str:
        happened, writer, client = asyncio.Queue[str](), new_client(), new_client()

        async def lost() -> None:
            happened.put_nowait("lost")

        async def received(_: Msg) -> None:
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
        first = await asyncio.wait_for(happened.get(), 60)
        await client.close()
        await writer.close()
        return first

    configuration = tmp_path / "nats.conf"
    configuration.write_text(CONFIGURATION.read_text().replace('ping_interval: "2s"', 'ping_interval: "1s"'))
    with Broker(tmp_path, configuration) as broker:
        assert asyncio.run(run(broker)) == ("received" if patched else "lost")


@both
def test_an_answer_that_comes_after_its_flush_has_given_up_ends_nothing(
    tmp_path: Path, without: Without, patched: bool
):
    if not patched:
        without(nats_patches._answer_to_nobody)

    async def run(broker: Broker) -> bool:
        received, client = asyncio.Event(), new_client()

        async def take(_: Msg) -> None:
            received.set()

        await client.connect(broker.url)
        await client.subscribe("numbers", cb=take)
        await client.flush()
        broker.freeze()
        with pytest.raises(TimeoutError):
            await client.flush(timeout=0.1)
        broker.thaw()
        await client.publish("numbers", b"")
        coming = asyncio.create_task(received.wait())
        await asyncio.wait([coming, client._reading_task], return_when=asyncio.FIRST_COMPLETED, timeout=60)
        reads_on = not client._reading_task.done()
        coming.cancel()
        await client.close()
        return reads_on

    with Broker(tmp_path) as broker:
        assert asyncio.run(run(broker)) is patched


def read(raw: bytes) -> list[Msg]:
    """What a subscription gets of these bytes from the server."""

    async def run() -> list[Msg]:
        client = new_client()
        subscription = client._subs[1] = Subscription(client, 1, ">")
        await client._ps.parse(raw)
        return [subscription._pending_queue.get_nowait() for _ in range(subscription._pending_queue.qsize())]

    return asyncio.run(run())


def wires(subject: bytes) -> list[bytes]:
    """A message of this subject, without headers and with them, and another one behind it."""
    heads = ((b"MSG", b"2", b""), (b"HMSG", b"12 14", b"NATS/1.0\r\n\r\n"))
    return [
        b"%s %s 1 %s %s\r\n%s{}\r\n%s" % (head, subject, REPLY.encode(), size, block, GOOD)
        for head, size, block in heads
    ]


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
    for raw in wires(wire):
        message, good = read(raw)
        assert (message.subject, message.reply, message.data) == (text, REPLY, b"{}")
        assert good.subject == "qiki.good"


def test_the_original_cannot_read_a_subject_that_is_not_utf_8(without: Without):
    without(nats_patches._any_subject)
    for raw in wires(b"qiki.caf\xe9"):
        with pytest.raises(UnicodeDecodeError):
            read(raw)


@pytest.mark.parametrize("name", ["MSG_RE", "HMSG_RE"])
def test_the_original_splits_a_subject_at_a_vertical_tab(without: Without, name: str):
    raw = wires(b"qiki.a\x0bb")[["MSG_RE", "HMSG_RE"].index(name)]
    without(nats_patches._split_at_blanks)
    with contextlib.suppress(ProtocolError, ValueError, IndexError):
        assert [message.subject for message in read(raw)] != ["qiki.a\x0bb", "qiki.good"]


BLOCKS = [b"X", b"NATS/1.0", b"NATS/1.0 404 \xff\r\n\r\n", b"NATS/1.0 \xff\xff\xff\r\n\r\n"]


def headed(block: bytes) -> bytes:
    return b"HMSG qiki.a 1 %d %d\r\n%s{}\r\n" % (len(block), len(block) + 2, block)


@pytest.mark.parametrize("block", BLOCKS)
def test_malformed_headers_count_as_none(block: bytes):
    message, good = read(headed(block) + GOOD)
    assert (message.headers, message.data, good.subject) == (None, b"{}", "qiki.good")


@pytest.mark.parametrize("block", BLOCKS)
def test_the_original_cannot_read_on_behind_malformed_headers(without: Without, block: bytes):
    without(nats_patches._none_where_malformed)
    with pytest.raises((IndexError, UnicodeDecodeError)):
        read(headed(block) + GOOD)


def test_headers_as_they_should_be_are_read():
    (message,) = read(headed("NATS/1.0\r\nStatus: 404\r\nx-name: é\r\n\r\n".encode()))
    assert message.headers == {"Status": "404", "x-name": "é"}


def calls(parse: Callable[[bytes], object], block: bytes) -> int:
    """The number of functions and generators that a call of `parse` runs."""
    count = 0

    def called(*arguments: object) -> None:
        nonlocal count
        count += arguments[1] == "call"

    sys.setprofile(called)
    try:
        parse(block)
    finally:
        sys.setprofile(None)
    return count


TRACK_HEADERS = b"Nats-Msg-Id: r:1:t\r\nce-specversion: 1.0\r\nx-qiki-run: r\r\nx-qiki-frame: 1\r\n"


def test_the_names_of_headers_are_read_once():
    nats_patches.apply()
    Client._parse_header_lines(TRACK_HEADERS)
    assert calls(Client._parse_header_lines, TRACK_HEADERS) == 1


def test_the_original_goes_through_each_character_of_a_name(without: Without):
    without(nats_patches._names_read_once)
    assert calls(Client._parse_header_lines, TRACK_HEADERS) > len(b"Nats-Msg-Idce-specversionx-qiki-runx-qiki-frame")


@pytest.mark.parametrize(
    "block",
    [
        TRACK_HEADERS, b"", b"a", b":", b"a:", b" a : b \r\n", b"a b: c\r\nd: e", b"\xff: b\r\nd: \xff", b"a\x1fb: c",
        b"a: 1\r\na: 2", b"x" * 200 + b": y", b"a:b:c\r\n\r\nd:\te", b"a\nb: c", b"a\x0bb: c",
    ],
)  # fmt: skip
def test_headers_are_read_as_the_original_reads_them(block: bytes):
    nats_patches.apply()
    assert Client._parse_header_lines(block) == inspect.unwrap(Client._parse_header_lines)(block)


@pytest.mark.parametrize(
    ("reply", "status"), [(REPLY, None), ("$JS.ACK._.hash.S.durable.1.2.3.4.5.x", None), ("", "404")]
)
def test_a_stored_message_is_data_whatever_its_status(reply: str, status: str | None):
    message = Msg(new_client(), "qiki.a", reply, b"", {"Status": "404"})
    assert JetStreamContext.is_status_msg(message) == status
    assert JetStreamContext.is_status_msg(None) is None


def test_the_original_takes_a_stored_message_for_a_status(without: Without):
    without(nats_patches._data_though_status)
    assert JetStreamContext.is_status_msg(Msg(new_client(), "qiki.a", REPLY, b"", {"Status": "404"})) == "404"


@both
def test_a_client_that_wants_encryption_gets_it_from_a_server_that_does_not_insist(
    tmp_path: Path, without: Without, patched: bool
):
    if not patched:
        without(nats_patches._encrypted_where_offered)
    keys = StackKeys(tmp_path / "keys")
    tls = ssl.create_default_context(cafile=keys.of("tests") / "ca.pem")

    async def encrypted(url: str) -> bool:
        client = new_client()
        await client.connect(url, allow_reconnect=False, tls=tls)
        try:
            return client._transport._io_writer.get_extra_info("ssl_object") is not None  # type: ignore[union-attr]
        finally:
            await client.close()

    with Broker(tmp_path / "broker", keys.broker / "server.conf") as broker:
        assert asyncio.run(encrypted(broker.url)) is patched


@both
def test_a_client_signs_with_the_seed_that_its_file_holds_now(patched: bool, without: Without, tmp_path: Path) -> None:
    """The original asks for a package first that comes without a wheel."""
    if not patched:
        without(nats_patches._seed_read_each_time)
    keys = StackKeys(tmp_path / "keys")

    async def scenario(broker: Broker) -> bool:
        try:
            client = new_client()
            await client.connect(broker.url, allow_reconnect=False, **nats_options(keys.of("tests")))
        except ImportError:
            return False
        await client.close()
        return True

    with Broker(tmp_path / "broker", keys.broker / "server.conf") as broker:
        assert asyncio.run(scenario(broker)) == patched


def test_a_client_whose_key_was_renewed_connects_again(tmp_path: Path) -> None:
    """nats-py does so by itself; a patch would go here if it no longer did."""
    keys = StackKeys(tmp_path / "keys")

    async def scenario(broker: Broker) -> bool:
        client, happened = new_client(), asyncio.Queue[bool]()

        async def restored() -> None:
            happened.put_nowait(True)

        async def closed() -> None:
            happened.put_nowait(False)

        callbacks = {"reconnected_cb": restored, "closed_cb": closed}
        await client.connect(
            broker.url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            **callbacks,
            **nats_options(keys.of("tests")),
        )
        keys.renew("tests")
        await asyncio.to_thread(reload, broker.url, keys.of("system"))
        result = await asyncio.wait_for(happened.get(), 30)
        await client.close()
        return result

    with Broker(tmp_path / "broker", keys.broker / "server.conf") as broker:
        assert asyncio.run(scenario(broker))
