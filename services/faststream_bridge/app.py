"""The FastStream application: radar frames in from the durable pull consumer, tracks and guard alerts out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from ssl import SSLContext
from typing import Any, cast

from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.security import NatsNKey, NatsSecurity
from faststream.specification import AsyncAPI
from nats.aio.msg import Msg

from faststream_bridge.completion import Completion
from faststream_bridge.intake import REQUEST_S, intakes, patch
from faststream_bridge.lag import LagMonitor
from faststream_bridge.max_deliveries import bury_exhausted
from faststream_bridge.pipeline import Pipeline
from faststream_bridge.runs import Runs
from faststream_bridge.settings import BridgeSettings
from faststream_bridge.snapshot import FailureNote, SnapshotFile
from faststream_bridge.stream import Position, StoredFrames, StreamChangedError, covers, position
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED
from qiki.contracts.radar import RadarFrame
from qiki.errors import QikiError
from qiki.guard import load_rules
from qiki.guard.rules import GuardRules
from qiki.runtime import nats_patches
from qiki.runtime.nats import Hooks, Link, connect, connection_options
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import RETRY_S, StoppingError
from qiki.runtime.service import Service
from qiki.runtime.tasks import TaskGroup
from qiki.tracking import TrackerError, TrackerParameters

BATCH = 100
IN_FLIGHT = 1024  # the frames of a batch need not wait for one another's tracks
AGAIN_S = 5.0

Take = Callable[[Sequence[Msg]], Awaitable[None]]


class ConsumerEndedError(QikiError):
    """FastStream no longer reads."""


class OwnKey(NatsNKey):
    """The seed's file for nats-py, as we have it sign. FastStream's own asks first for a package without a wheel."""

    def __init__(self, seed_file: str, tls: SSLContext | None) -> None:
        NatsSecurity.__init__(self, ssl_context=tls)
        self.seed, self.seed_is_file = seed_file, True


def build(take: Take, **connection: Any) -> FastStream:
    """Make the application, which hands all deliveries to `take`, in lists; that acknowledges them."""
    nats_patches.apply()  # the broker makes a client of its own
    patch()
    seed, tls = connection.pop("nkeys_seed", None), connection.pop("tls", None)
    broker = NatsBroker(logger=None, apply_types=False, security=OwnKey(seed, tls) if seed else None, **connection)

    @broker.subscriber(
        topics.FRAMES.subject,
        durable=topics.FRAMES_DURABLE,
        stream=JStream(topics.QIKI_RADAR_V1, declare=False),
        pull_sub=PullSub(batch_size=BATCH, timeout=REQUEST_S, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=_as_they_came,
        title=topics.FRAMES.subject,
        description=topics.FRAMES.about,
    )
    async def on_frame(frame: RadarFrame) -> None:  # for the document: it gets a list of messages, frames or not
        await take(cast("list[Msg]", frame))

    for kind in (GUARD_RESUMED, GUARD_CLEARED):
        broker.publisher(kind.subject, title=kind.subject, description=kind.when, schema=kind.model)
    for topic in (topics.TRACKS, topics.TRACKED, topics.ESTIMATES, topics.GUARD):
        broker.publisher(topic.subject, title=topic.subject, description=topic.about, schema=topic.model)
    return FastStream(
        broker,
        logger=None,
        specification=AsyncAPI(title="faststream-bridge", version=version("qiki-dtmp"), schema_version="3.0.0"),
    )


async def _as_they_came(batch: NatsMessage) -> Any:
    return batch.raw_message


async def main(service: Service[BridgeSettings]) -> None:
    """Restore, catch up, then follow the stream until the service stops."""
    service.health.wait_for("consumer", "not following the stream yet")
    rules = load_rules(service.settings.qiki_guard_rules)
    snapshots = SnapshotFile(service.settings.qiki_state_dir)
    async with connect(service) as link:
        with contextlib.suppress(StoppingError):
            await _run(service, link, rules, snapshots, await position(service, link.jetstream))


async def _run(
    service: Service[BridgeSettings], link: Link, rules: GuardRules, snapshots: SnapshotFile, where: Position
) -> None:
    state_dir, interval_s = service.settings.qiki_state_dir, service.settings.snapshot_interval_sec
    async with (
        Publisher(link, size=IN_FLIGHT) as publisher,
        service.events.sent_by(publisher),
        bury_exhausted(link, publisher),
        sent_again(publisher),
    ):
        parameters = TrackerParameters(short_range_m=service.settings.radar_sr_threshold_m)
        runs = Runs(parameters, rules, estimates=service.settings.bridge_estimates)
        frames = StoredFrames(link.client)
        begin = await restore(service, runs, snapshots, where, frames)
        completion = Completion(publisher, snapshots.write)
        failures = FailureNote(state_dir)
        pipeline = Pipeline(runs, publisher, completion, frames, where, failures, interval_s)
        async with TaskGroup() as group:
            finishing = group.create_task(completion.run())
            await pipeline.resume(begin)
            service.log.info("follows the stream", behind=begin, caught_up=where.delivered)
            async with follow(service, pipeline) as app:
                monitor = LagMonitor(service, link.jetstream, where, pipeline)
                watching = [group.create_task(one) for one in (monitor.run(), watch(app))]
                await service.stopping.wait()
                for task in watching:
                    task.cancel()
                await pipeline.close()
                await completion.drained()
                snapshots.write(pipeline.snapshot())
            finishing.cancel()


@asynccontextmanager
async def sent_again(publisher: Publisher) -> AsyncIterator[None]:
    """Send our last messages once more before the end, if the stream has changed.

    With frames it lost tracks and estimates of earlier ones. Where the notices of these are still there, the next
    process takes them for done.
    """
    try:
        yield
    except* StreamChangedError:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_S):
                await publisher.drained()
        raise


async def restore(
    service: Service[BridgeSettings], runs: Runs, snapshots: SnapshotFile, where: Position, frames: StoredFrames
) -> int:
    """Restore the trackers from the snapshot; return the sequence that they cover."""
    snapshot = snapshots.read(where.stream, where.last_sequence)
    if snapshot is not None and not await covers(snapshot, where, frames):
        service.log.warning("snapshot covers frames that the broker lost, tracks begin again")
    elif snapshot is not None:
        try:
            runs.restore(snapshot.runs)
        except (TrackerError, LookupError, ValueError, TypeError, AttributeError) as error:  # it does not fit
            service.log.error("snapshot refused, tracks begin again", reason=repr(error))
        else:
            return snapshot.sequence
    return where.floor


@asynccontextmanager
async def follow(service: Service[BridgeSettings], pipeline: Pipeline) -> AsyncIterator[FastStream]:
    """Run the application while the context lasts; stop it after an error too, for its tasks outlive a cancellation."""
    hooks = Hooks()
    app = build(pipeline.take_all, **connection_options(service, hooks, "consumer"))
    await app.start()
    hooks.on_restored.extend(intake.renew for intake in intakes(app))
    service.health.met("consumer")
    try:
        yield app
    finally:
        hooks.closing = True
        await app.stop()


async def watch(app: FastStream) -> None:
    """Raise ConsumerEndedError when no task of the subscriber is left: FastStream restarts one only after an error."""
    readers: Any = app.broker.subscribers if app.broker else ()
    while running := [task for reader in readers for task in reader.tasks if not task.done()]:
        await asyncio.wait(running)
        await asyncio.sleep(RETRY_S)
    raise ConsumerEndedError("the reader of the stream has ended")
