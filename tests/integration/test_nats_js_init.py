"""nats-js-init as a process against the real broker."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from nats_js_init.settings import InitSettings
from nats_js_init.streams import plan
from qiki_harness.testing import Broker
from qiki_harness.testing.processes import CONFIGURATION

EVERYTHING = [
    "QIKI_RADAR_V1",
    "QIKI_RADAR_V1/radar_frames_pull",
    "QIKI_RADAR_V1/radar_tracks_pull",
    "QIKI_EVENTS_V1",
    "QIKI_EVENTS_V1/events_audit_pull",
    "QIKI_EVENTS_V1/registrar_events_pull",
    "QIKI_TRACKER_V1",
    "QIKI_DLQ_V1",
    "QIKI_STATE_V1",
    "QIKI_ESTIMATES_V1",
    "QIKI_ANCHOR_V1",
]

ANCHORS = next(one.config for one in plan(InitSettings()) if one.config.name == "QIKI_ANCHOR_V1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


def initialise(url: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"NATS_URL": url} | settings
    return subprocess.run(
        [sys.executable, "-m", "nats_js_init", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def on(broker: Broker, work: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        client = await nats.connect(broker.url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(run())


def test_it_makes_everything_and_run_again_changes_nothing_and_says_so(broker: Broker):
    first, second = initialise(broker.url), initialise(broker.url)
    assert (first.returncode, second.returncode, first.stderr, second.stderr) == (0, 0, "", "")
    assert first.stdout.splitlines() == [f"created   {name}" for name in EVERYTHING]
    assert second.stdout.splitlines() == [f"unchanged {name}" for name in EVERYTHING]


def test_what_exists_is_updated_and_keeps_its_messages(broker: Broker):
    initialise(broker.url)
    on(broker, lambda jetstream: jetstream.publish("qiki.radar.v1.frames", b"kept"))
    settings = {"RADAR_MAX_BYTES": "1048576", "RADAR_CONSUMER_ACK_WAIT_SEC": "30"}
    done = initialise(broker.url, **settings)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:4] == [
        "updated   QIKI_RADAR_V1: change max_bytes from 1073741824 to 1048576",
        "updated   QIKI_RADAR_V1/radar_frames_pull: change ack_wait from 45.0 to 30.0",
        "updated   QIKI_RADAR_V1/radar_tracks_pull: change ack_wait from 45.0 to 30.0",
        "unchanged QIKI_EVENTS_V1",
    ]
    info = on(broker, lambda jetstream: jetstream.stream_info("QIKI_RADAR_V1"))
    assert (info.config.max_bytes, info.config.max_age, info.state.messages) == (1048576, 3600, 1)
    assert initialise(broker.url, **settings).stdout.splitlines() == [f"unchanged {name}" for name in EVERYTHING]


def test_run_again_with_parts_of_a_second_it_changes_nothing(broker: Broker):
    settings = {"RADAR_CONSUMER_ACK_WAIT_SEC": "16.4", "EVENTS_MAX_AGE_SEC": "604800.7"}
    assert initialise(broker.url, **settings).returncode == 0
    assert initialise(broker.url, **settings).stdout.splitlines() == [f"unchanged {name}" for name in EVERYTHING]


@dataclass(frozen=True)
class OldStore:
    """A store as the version before made it, with messages, and a durable that has read some of them."""

    broker: Broker

    def fill(self) -> None:
        async def work(jetstream: JetStreamContext) -> None:
            for planned in plan(InitSettings()):
                old = replace(planned.config, allow_batched=None, persist_mode=None)
                await jetstream.add_stream(old)
                for consumer in planned.consumers:
                    await jetstream.add_consumer(str(old.name), consumer)
            for number in range(300):
                headers = {"Nats-Msg-Id": f"n{number}", "x-number": str(number)}
                await jetstream.publish("qiki.radar.v1.frames", str(number).encode(), headers=headers)
            await jetstream.delete_msg("QIKI_RADAR_V1", 7)
            reader = await jetstream.pull_subscribe_bind("radar_frames_pull", "QIKI_RADAR_V1")
            for message in await reader.fetch(10):
                await message.ack_sync()
            await reader.fetch(5)  # delivered, not acknowledged

        on(self.broker, work)

    def content(self) -> tuple[Any, ...]:
        """All of the radar stream: its messages with their times, and the places of its durables."""

        async def work(jetstream: JetStreamContext) -> tuple[Any, ...]:
            info = await jetstream.stream_info("QIKI_RADAR_V1")
            durables = await jetstream.consumers_info("QIKI_RADAR_V1")
            floors = {
                one.name: one.ack_floor and (one.ack_floor.consumer_seq, one.ack_floor.stream_seq) for one in durables
            }
            places = {one.name: (one.num_ack_pending, one.num_pending, one.config) for one in durables}
            messages = []
            for sequence in range(1, info.state.last_seq + 1):
                with suppress(NotFoundError):
                    one = await jetstream.get_msg("QIKI_RADAR_V1", sequence)
                    messages.append((one.seq, one.time, one.data, one.headers))
            return info.state.last_seq, floors, places, messages

        return cast("tuple[Any, ...]", on(self.broker, work))

    def modes(self) -> dict[str, tuple[str | None, bool | None]]:
        async def work(jetstream: JetStreamContext) -> dict[str, tuple[str | None, bool | None]]:
            configs = [one.config for one in await jetstream.streams_info()]
            return {str(one.name): (one.persist_mode, one.allow_batched) for one in configs}

        return cast("dict[str, tuple[str | None, bool | None]]", on(self.broker, work))


KEPT = "the server cannot change persist_mode from default to async"
MIGRATED = "change persist_mode from default to async; start the broker again, so that it knows the last message ids"


def test_an_older_store_is_updated_as_far_as_the_server_can_and_the_rest_is_said(broker: Broker):
    store = OldStore(broker)
    store.fill()
    before = store.content()
    first, second = initialise(broker.url), initialise(broker.url)
    assert (first.returncode, first.stderr) == (0, "")
    advice = f"{KEPT}; `python -m nats_js_init --migrate` can"
    assert first.stdout.splitlines()[:2] == [
        "updated   QIKI_RADAR_V1: change allow_batched from none to True",
        f"kept      QIKI_RADAR_V1: {advice}",
    ]
    expected = [f"unchanged {name}" for name in EVERYTHING]
    expected.insert(1, f"kept      QIKI_RADAR_V1: {advice}")
    expected.insert(EVERYTHING.index("QIKI_TRACKER_V1") + 2, f"kept      QIKI_TRACKER_V1: {advice}")
    expected.insert(expected.index("unchanged QIKI_ESTIMATES_V1"), f"kept      QIKI_STATE_V1: {advice}")
    expected.insert(expected.index("unchanged QIKI_ANCHOR_V1"), f"kept      QIKI_ESTIMATES_V1: {advice}")
    assert second.stdout.splitlines() == expected
    assert store.content() == before
    assert set(store.modes().values()) == {(None, True)}


def test_a_migrated_stream_keeps_its_messages_their_places_and_its_readers(broker: Broker, tmp_path: Path):
    store = OldStore(broker)
    store.fill()
    before = store.content()
    spool = tmp_path / "spool"
    spool.mkdir()
    done = initialise(broker.url, "--migrate", str(spool))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:5] == [
        f"migrated  QIKI_RADAR_V1: {MIGRATED}",
        f"migrated  QIKI_TRACKER_V1: {MIGRATED}",
        f"migrated  QIKI_STATE_V1: {MIGRATED}",
        f"migrated  QIKI_ESTIMATES_V1: {MIGRATED}",
        "updated   QIKI_RADAR_V1: change allow_batched from none to True",
    ]
    assert list(spool.iterdir()) == []
    assert store.content() == before
    assert store.modes() == {
        "QIKI_RADAR_V1": ("async", True),
        "QIKI_EVENTS_V1": (None, True),
        "QIKI_TRACKER_V1": ("async", True),
        "QIKI_DLQ_V1": (None, True),
        "QIKI_STATE_V1": ("async", True),
        "QIKI_ESTIMATES_V1": ("async", True),
        "QIKI_ANCHOR_V1": (None, True),
    }
    again = initialise(broker.url, "--migrate", str(spool))
    assert again.stdout.splitlines() == [f"unchanged {name}" for name in EVERYTHING]

    broker.restart()
    assert store.content() == before

    async def publish_again(jetstream: JetStreamContext) -> tuple[bool | None, int]:
        known = await jetstream.publish("qiki.radar.v1.frames", b"299", headers={"Nats-Msg-Id": "n299"})
        return known.duplicate, (await jetstream.publish("qiki.radar.v1.frames", b"new")).seq

    assert on(broker, publish_again) == (True, 301)


def test_what_cannot_be_copied_stays_as_it_was(broker: Broker, tmp_path: Path):
    store = OldStore(broker)
    store.fill()
    before = store.content()
    done = initialise(broker.url, "--migrate", str(tmp_path / "missing"))
    assert done.returncode == 2
    assert done.stderr.startswith("nats-js-init: --migrate: ")
    assert done.stderr.count("\n") == 1
    assert store.content() == before


def test_what_is_missing_beside_what_exists_is_made(broker: Broker):
    initialise(broker.url)
    on(broker, lambda jetstream: jetstream.delete_consumer("QIKI_RADAR_V1", "radar_tracks_pull"))
    lines = initialise(broker.url).stdout.splitlines()
    assert [line for line in lines if not line.startswith("unchanged")] == ["created   QIKI_RADAR_V1/radar_tracks_pull"]


def test_a_volume_from_before_gets_the_anchors_stream_and_keeps_its_messages(broker: Broker):
    initialise(broker.url)
    on(broker, lambda jetstream: jetstream.publish("qiki.events.v1.audit", b"kept"))
    on(broker, lambda jetstream: jetstream.delete_stream("QIKI_ANCHOR_V1"))
    lines = initialise(broker.url).stdout.splitlines()
    assert [line for line in lines if not line.startswith("unchanged")] == ["created   QIKI_ANCHOR_V1"]
    events = on(broker, lambda jetstream: jetstream.stream_info("QIKI_EVENTS_V1"))
    assert events.state.messages == 3  # and one of each run of nats-js-init


def test_the_server_refuses_to_delete_and_to_purge_anchors(broker: Broker):
    initialise(broker.url)
    stored = on(broker, lambda jetstream: jetstream.publish("qiki.anchor.v1.audit", b"kept"))
    attempts: list[Callable[[JetStreamContext], Awaitable[Any]]] = [
        lambda jetstream: jetstream.purge_stream("QIKI_ANCHOR_V1"),
        lambda jetstream: jetstream.delete_msg("QIKI_ANCHOR_V1", stored.seq),
        lambda jetstream: jetstream.update_stream(
            replace(ANCHORS, max_msgs=1, max_msgs_per_subject=1, deny_purge=False, deny_delete=False)
        ),
    ]
    for attempt in attempts:
        with pytest.raises(APIError):
            on(broker, attempt)
    info = on(broker, lambda jetstream: jetstream.stream_info("QIKI_ANCHOR_V1"))
    assert (info.state.messages, info.config.deny_purge, info.config.deny_delete) == (1, True, True)


def test_a_stream_that_cannot_become_what_it_should_is_named(broker: Broker):
    wrong = StreamConfig(name="QIKI_RADAR_V1", subjects=["qiki.radar.v1.>"], storage=StorageType.MEMORY)
    on(broker, lambda jetstream: jetstream.add_stream(wrong))
    done = initialise(broker.url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("nats-js-init: QIKI_RADAR_V1: cannot ")
    assert "change storage from memory to file" in done.stderr
    assert done.stderr.endswith("remove it by hand and start nats-js-init again\n")


def test_a_consumer_that_cannot_become_what_it_should_is_named(broker: Broker):
    initialise(broker.url)

    async def replace(jetstream: JetStreamContext) -> None:
        await jetstream.delete_consumer("QIKI_RADAR_V1", "radar_frames_pull")
        config = ConsumerConfig(durable_name="radar_frames_pull", deliver_subject="push", ack_policy="explicit")
        await jetstream.add_consumer("QIKI_RADAR_V1", config)

    on(broker, replace)
    done = initialise(broker.url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("nats-js-init: QIKI_RADAR_V1/radar_frames_pull: cannot ")


def test_subjects_that_another_stream_holds_are_named(broker: Broker):
    on(broker, lambda jetstream: jetstream.add_stream(StreamConfig(name="OTHER", subjects=["qiki.radar.v1.frames"])))
    done = initialise(broker.url)
    assert done.returncode == 2
    assert done.stderr.startswith("nats-js-init: QIKI_RADAR_V1: cannot be created: subjects overlap")
    assert "remove it" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_broker_is_one_line():
    done = initialise("nats://127.0.0.1:9", INIT_TIMEOUT_SEC="0.2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nats-js-init: NATS_URL: no JetStream at nats://127.0.0.1:9 within 0.2 s\n"


def test_a_broker_without_jetstream_is_one_line(tmp_path: Path):
    configuration = tmp_path / "plain.conf"
    configuration.write_text("host: $NATS_LISTEN_HOST\nport: $NATS_PORT\n")
    with Broker(tmp_path / "nats", configuration) as plain:
        done = initialise(plain.url, INIT_TIMEOUT_SEC="5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"nats-js-init: NATS_URL: {plain.url}: ")
    assert done.stderr.count("\n") == 1


def test_a_wrong_setting_is_one_line():
    done = initialise("nats://127.0.0.1:9", RADAR_MAX_BYTES="lots")
    assert done.returncode == 2
    assert done.stderr.startswith("nats-js-init: wrong setting: RADAR_MAX_BYTES: ")
    assert done.stderr.count("\n") == 1


def test_what_a_power_failure_has_damaged_is_made_again_for_good(broker: Broker, tmp_path: Path):
    assert initialise(broker.url).returncode == 0

    async def publish(jetstream: JetStreamContext) -> None:
        await jetstream.publish("qiki.events.v1.test", b"kept")

    on(broker, publish)
    broker.kill()
    for path in (tmp_path / "nats").rglob("meta.*"):
        if path.name == "meta.sum" or "obs" in path.parts:
            path.write_bytes(b"")
    broker.start()
    again = initialise(broker.url).stdout.splitlines()
    assert sorted(again) == sorted(f"created   {name}" for name in EVERYTHING)

    broker.restart()
    assert sorted(initialise(broker.url).stdout.splitlines()) == sorted(f"unchanged {name}" for name in EVERYTHING)

    async def bodies(jetstream: JetStreamContext) -> list[bytes | None]:
        return [(await jetstream.get_last_msg("QIKI_EVENTS_V1", "qiki.events.v1.test")).data]

    assert on(broker, bodies) == [b"kept"]


@pytest.mark.parametrize("monitored", [True, False])
def test_a_store_without_room_says_what_is_needed_and_what_is_free(tmp_path: Path, monitored: bool):
    configuration = tmp_path / "small.conf"
    text = CONFIGURATION.read_text().replace("max_file_store: 16TB", "max_file_store: 100MB")
    assert "100MB" in text
    configuration.write_text(text)
    with Broker(tmp_path / "nats", configuration) as broker:
        page = {"NATS_HTTP": broker.http_url} if monitored else {}
        done = initialise(broker.url, RADAR_MAX_BYTES=str(600 << 20), **page)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "QIKI_RADAR_V1: cannot be created: " in line
    assert re.search(r"needed: \d+ MiB \(QIKI_RADAR_V1 600 MiB, QIKI_EVENTS_V1 \d+ MiB, ", line)
    free = r"free: 100 MiB of 100 MiB" if monitored else "free: not known without NATS_HTTP"
    assert re.search(free, line), line
