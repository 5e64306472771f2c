"""Identities on a stack: the viewer watches and does nothing else; keys are added, renewed, revoked while it runs."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import nats
import nats.errors
import pytest
from nats.aio.client import Client

from qiki.contracts import topics
from qiki.contracts.events import ACCESS_REFUSED
from qiki.contracts.topics import STREAMS
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.identities.reload import reload as ask_to_reload
from qiki.runtime.nats import new_client
from qiki_harness.http import open_url
from qiki_harness.testing import until
from qiki_harness.twin import Twin, start_twin

T = TypeVar("T")
FORGED = b'{"command_name": "sim.stop"}'


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    twin = start_twin(tmp_path_factory.mktemp("runs") / "a stack", "mixed-traffic")
    yield twin
    twin.close()


def as_viewer(twin: Twin, work: Callable[[Client, list[str]], Awaitable[T]], **options: object) -> T:
    """The result of some work with an unchanged client of nats-py, and the server's refusals."""

    async def run() -> T:
        refused: list[str] = []

        async def failed(error: Exception) -> None:
            refused.append(str(error))

        url = twin.backing.addresses["NATS_URL"]
        client = await nats.connect(url, error_cb=failed, allow_reconnect=False, **options)
        try:
            return await work(client, refused)
        finally:
            await client.close()

    return asyncio.run(run())


def keys(twin: Twin, *words: str) -> str:
    folder = twin.stack.folder.path
    command = [str(Path(sys.executable).with_name("qiki")), "keys", *words]
    done = subprocess.run(
        [*command, "--name", folder.name, "--run-dir", str(folder.parent)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_client_without_a_key_watches_what_happens(twin: Twin):
    async def watch(client: Client, refused: list[str]):
        tracks = await client.subscribe(topics.TRACKS.subject)
        everything = await client.subscribe(topics.EVENTS.subject)
        assert json.loads((await tracks.next_msg(10)).data)["track_id"]
        assert await everything.next_msg(10)
        jetstream = client.jetstream()
        for stream in STREAMS:
            assert (await jetstream.stream_info(stream.name)).config.name == stream.name
        stored = await jetstream.get_last_msg(topics.QIKI_RADAR_V1, topics.FRAMES.subject, direct=True)
        assert json.loads(stored.data)["frame_id"]
        durable = await jetstream.pull_subscribe_bind(durable=topics.TRACKS_DURABLE, stream=topics.QIKI_RADAR_V1)
        first, second = await durable.fetch(2, timeout=10)
        await first.ack_sync()
        await second.ack_sync()
        assert refused == []

    as_viewer(twin, watch)


def test_a_client_without_a_key_publishes_nothing_and_sees_no_truth(twin: Twin):
    async def attack(client: Client, refused: list[str]):
        truth = await client.subscribe(topics.TRUTH.subject)
        for subject in (
            topics.COMMANDS.subject,
            topics.FRAMES.subject,
            topics.AUDIT.subject,
            "qiki.dlq.v1.x",
        ):
            await client.publish(subject, FORGED)
        await client.flush()
        assert len(refused) == 5
        with pytest.raises((nats.errors.TimeoutError, nats.errors.Error)):
            await truth.next_msg(1)

    before = twin.now()
    as_viewer(twin, attack)
    twin.await_telemetry(after=before)
    assert not twin.acknowledgements(after=before)


@pytest.mark.parametrize("request_", ["direct", "info", "next", "consumer"])
def test_a_viewers_request_reaches_no_subject_of_the_twin(twin: Twin, request_: str):
    """A request names the subject of its answer, and the server checks no right for that."""
    requests = {
        "direct": (f"$JS.API.DIRECT.GET.{topics.QIKI_EVENTS_V1}", b'{"seq": 1}'),
        "info": (f"$JS.API.STREAM.INFO.{topics.QIKI_EVENTS_V1}", b""),
        "next": (f"$JS.API.CONSUMER.MSG.NEXT.{topics.QIKI_EVENTS_V1}.{topics.AUDIT_DURABLE}", b'{"batch": 1}'),
        "consumer": (
            f"$JS.API.CONSUMER.CREATE.{topics.QIKI_EVENTS_V1}",
            json.dumps(
                {
                    "stream_name": topics.QIKI_EVENTS_V1,
                    "config": {"deliver_subject": topics.COMMANDS.subject, "ack_policy": "none"},
                }
            ).encode(),
        ),
    }
    subject, body = requests[request_]
    stored = {stream.name: twin.jetstream(lambda js, name=stream.name: js.stream_info(name)) for stream in STREAMS}
    letters = stored[topics.QIKI_DLQ_V1].state.last_seq

    async def attack(client: Client, _: list[str]):
        for target in (topics.COMMANDS.subject, "qiki.dlq.v1.forged"):
            await client.publish(subject, body, reply=target)
        await client.flush()

    before = twin.now()
    as_viewer(twin, attack)
    twin.await_telemetry(after=before)
    assert not twin.acknowledgements(after=before)  # each command gets one, a malformed one too
    assert twin.jetstream(lambda js: js.stream_info(topics.QIKI_DLQ_V1)).state.last_seq == letters


def test_a_refused_client_is_an_event_with_name_and_subject(twin: Twin):
    async def attack(client: Client, _: list[str]):
        for _ in range(100):
            await client.publish("qiki.radar.v1.tracks.forged", b"")
        await client.flush()

    before = twin.now()
    as_viewer(twin, attack)
    refusal = {"identity": "viewer", "verb": "publish", "on_subject": "qiki.radar.v1.tracks.forged"}
    twin.await_event(subject=ACCESS_REFUSED.subject, code=802, after=before, **refusal)


def test_an_added_identity_publishes_its_subject_until_it_is_revoked(twin: Twin, tmp_path: Path):
    keys(twin, "add", "lidar", "--may", "publish", "qiki.radar.v1.frames")
    keys(twin, "export", "lidar", str(tmp_path / "lidar"))
    assert oct((tmp_path / "lidar").stat().st_mode & 0o777) == "0o700"
    assert oct((tmp_path / "lidar/seed.nk").stat().st_mode & 0o777) == "0o600"

    async def use() -> None:
        client, closed = new_client(), asyncio.Event()

        async def on_closed() -> None:
            closed.set()

        url = twin.backing.addresses["NATS_URL"]
        options = nats_options(tmp_path / "lidar")
        await client.connect(url, allow_reconnect=False, closed_cb=on_closed, **options)
        answer = await client.jetstream().publish("qiki.radar.v1.frames", b"not a frame")
        assert answer.stream == topics.QIKI_RADAR_V1
        await asyncio.to_thread(keys, twin, "revoke", "lidar")
        await asyncio.wait_for(closed.wait(), 10)
        again = new_client()
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            await again.connect(url, allow_reconnect=False, **options)
        await again.close()

    asyncio.run(use())
    assert "lidar" not in keys(twin, "list")


def test_a_service_goes_on_with_a_renewed_key(twin: Twin):
    before = (Path(twin.stack.folder.data) / "keys-q-sim-radar/seed.nk").read_text()
    restarts = twin.stack.info.services["q-sim-radar"].restarts
    frame = twin.await_frame(after=twin.now()).frame
    keys(twin, "renew", "q-sim-radar")
    assert (Path(twin.stack.folder.data) / "keys-q-sim-radar/seed.nk").read_text() != before
    later = twin.await_frame(after=twin.now()).frame
    twin.await_tracked_frame(frame=later + 5)
    assert twin.stack.info.services["q-sim-radar"].restarts == restarts
    assert later > frame


def test_a_missing_right_makes_the_service_unready_with_subject_and_identity(twin: Twin):
    """Take one right away, as a table that lacks a row would."""
    rights = twin.stack.folder.data / "keys-broker/rights.conf"
    whole = rights.read_text()
    try:
        rights.write_text(whole.replace('"qiki.events.v1.bios_status",\n', ""))
        assert rights.read_text() != whole
        reload(twin)
        page = f"{twin.stack.info.http_url('qiki-dev')}/readyz"
        text = until("the agent to be unready", lambda: refusal(page), 30)
        assert "qiki-dev may not publish to qiki.events.v1.bios_status" in text
    finally:
        rights.write_text(whole)
        reload(twin)


def reload(twin: Twin) -> None:
    ask_to_reload(twin.backing.addresses["NATS_URL"], twin.stack.folder.data / "keyring/system")


def refusal(page: str) -> str:
    try:
        with open_url(page, timeout=2) as answer:
            return answer.read().decode() if answer.status != 200 else ""
    except OSError as error:
        return error.read().decode() if hasattr(error, "read") else ""
