"""`qiki durability` on real brokers: one that keeps what is declared, and ones that do not."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from nats.js import JetStreamContext
from nats.js.api import PersistMode, StorageType

from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.contracts.topics import STREAMS
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker
from qiki_harness.testing.processes import CONFIGURATION
from qiki_harness.twin.native import start_stack

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
RUN = UUID("5ca1ab1e-0000-4000-8000-000000000004")
OURS = {"NATS_URL", "NATS_HTTP", "QIKI_RUN_DIR"}


def ask(*arguments: str, **variables: str) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | variables
    done = subprocess.run(
        [*QIKI, "durability", *arguments], env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def broken(found: str) -> dict[str, list[str]]:
    """The lines that do not hold, by their names."""
    return {one["name"]: one["broken"] for one in json.loads(found)["findings"] if one["broken"]}


def make_streams(broker: Broker, change: Callable[[JetStreamContext], Any] | None = None) -> None:
    async def run() -> None:
        client = new_client()
        await client.connect(broker.url)
        try:
            if change:
                await change(client.jetstream())
            await apply(client.jetstream(), plan(InitSettings()))
        finally:
            await client.close()

    asyncio.run(run())


def test_a_broker_with_our_configuration_keeps_what_is_declared(tmp_path: Path):
    with Broker(tmp_path) as broker:
        make_streams(broker)
        status, found, _ = ask("--json", NATS_HTTP=broker.http_url)
        assert (status, broken(found)) == (0, {})
        server, *streams = json.loads(found)["findings"]
        assert server["seen"].startswith(f"syncs always; {tmp_path}/jetstream on ")
        assert "its watcher, which syncs async streams within a second" in server["unseen"]
        assert {one["name"]: one["declared"] for one in streams} == {one.name: one.durability.name for one in STREAMS}
        status, found, _ = ask("--nats-http", broker.http_url)
        assert (status, found.splitlines()[-1]) == (0, f"What is declared holds on {broker.http_url}.")


def test_a_broker_that_syncs_now_and_then_does_not(tmp_path: Path):
    lazy = tmp_path / "lazy.conf"
    lazy.write_text(CONFIGURATION.read_text().replace('sync_interval: "always"', 'sync_interval: "90s"'))
    with Broker(tmp_path / "store", lazy) as broker:
        make_streams(broker)
        status, found, _ = ask("--json", NATS_HTTP=broker.http_url)
    last = ["not synced: a power failure takes the last 90 s"]
    assert (status, broken(found)) == (1, dict.fromkeys(("QIKI_EVENTS_V1", "QIKI_DLQ_V1", "QIKI_ANCHOR_V1"), last))


def test_streams_that_are_made_otherwise_or_missing_are_named(tmp_path: Path):
    async def otherwise(jetstream: JetStreamContext) -> None:
        planned = {one.config.name: one.config for one in plan(InitSettings())}
        events, letters = planned["QIKI_EVENTS_V1"], planned["QIKI_DLQ_V1"]
        await jetstream.add_stream(replace(events, persist_mode=PersistMode.ASYNC))
        await jetstream.add_stream(replace(letters, storage=StorageType.MEMORY))
        raise InterruptedError

    with Broker(tmp_path) as broker:
        with pytest.raises(InterruptedError):
            make_streams(broker, otherwise)
        status, found, _ = ask(NATS_HTTP=broker.http_url)
    assert status == 1
    lines = found.splitlines()
    assert "    persist_mode async: acknowledged before it is written; `python -m nats_js_init --migrate`" in lines
    assert "    kept in memory: a killed broker takes all" in lines
    assert lines.count("    the stream is not there") == len(STREAMS) - 2
    assert lines[-1] == f"What is declared does NOT hold on {broker.http_url}."


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="takes a file system in memory: /dev/shm")
def test_a_store_in_memory_survives_no_power_failure():
    with TemporaryDirectory(dir="/dev/shm") as folder, Broker(Path(folder)) as broker:
        make_streams(broker)
        status, found, _ = ask("--json", NATS_HTTP=broker.http_url)
    assert status == 1
    assert broken(found)["broker"] == ["tmpfs is gone after a power failure"]
    assert broken(found).keys() >= {stream.name for stream in STREAMS}


def test_a_native_stack_shows_its_watcher_and_its_folders(tmp_path: Path):
    without = ("q-sim-radar", "faststream-bridge", "registrar", "qiki-dev")
    with start_stack(tmp_path / "runs" / "stack", "empty", run_id=RUN, without=without):
        status, found, _ = ask("--json", "--name", "stack", "--run-dir", str(tmp_path / "runs"))
    assert (status, broken(found)) == (0, {})
    findings = {one["name"]: one for one in json.loads(found)["findings"]}
    assert findings["broker"]["seen"].startswith("syncs always, with its watcher; ")
    assert findings["sim"]["seen"].startswith(str(tmp_path / "runs" / "stack" / "data" / "sim"))


def test_without_a_broker_there_is_one_line():
    assert ask(NATS_HTTP="http://127.0.0.1:9") == (
        2,
        "",
        "qiki: no NATS server with monitoring answers at http://127.0.0.1:9: NATS_HTTP names it\n",
    )
