"""The watcher beside the broker finds what the broker has written and not synced."""

import asyncio
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import nats
from nats.js.api import PersistMode, StreamConfig

from qiki_harness.testing import Broker, until

SERVER = Path(__file__).parents[2] / "services/nats/server.py"


def launcher() -> ModuleType:
    specification = importlib.util.spec_from_file_location("launcher", SERVER)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


async def publish(url: str, subject: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().publish(subject, b"written")
    await client.close()


async def make(url: str) -> None:
    client = await nats.connect(url)
    for name in ("ONE", "TWO"):
        mode = PersistMode.ASYNC
        await client.jetstream().add_stream(StreamConfig(name=name, subjects=[name.lower()], persist_mode=mode))
    await client.close()


def test_each_block_that_was_written_is_synced_and_no_older_one(tmp_path: Path):
    server, store = launcher(), str(tmp_path)
    find: Callable[[str, int], dict[str, dict[str, int]]] = server.fresh

    def streams_since(moment_ns: int) -> set[str]:
        return {Path(folder).parent.name for folder in find(store, moment_ns)}

    with Broker(tmp_path) as broker:
        asyncio.run(make(broker.url))
        asyncio.run(publish(broker.url, "one"))
        asyncio.run(publish(broker.url, "two"))
        until("both to be written", lambda: all(size > 0 for size in sizes(tmp_path)))
        newest_ns = server.sync(store, 0)
        assert streams_since(0) == {"ONE", "TWO"}
        assert newest_ns == max(max(written.values()) for written in find(store, 0).values())
        asyncio.run(publish(broker.url, "one"))
        until("the other to be found", lambda: streams_since(newest_ns + 1) == {"ONE"})


def sizes(store: Path) -> list[int]:
    return [block.stat().st_size for block in store.glob("jetstream/*/streams/*/msgs/*.blk")]
