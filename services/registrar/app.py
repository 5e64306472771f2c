"""The registrar: everything on the events' subjects into the audit log, once each."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Counter, Gauge

from qiki.audit.intake import read_draft
from qiki.audit.journal import FileLimits, Journal, Torn
from qiki.audit.recall import Recalled, recall
from qiki.audit.record import Draft, Head
from qiki.contracts import topics
from qiki.contracts.cloudevents import BrokenEventError
from qiki.runtime.clock import now
from qiki.runtime.dead_letters import dead_letter
from qiki.runtime.nats import connect
from qiki.runtime.service import Service
from qiki.runtime.window import PublishWindow
from registrar.anchor import continued, found_instead, newest_anchor
from registrar.radar import TRAFFIC, summarise
from registrar.reader import stored_at
from registrar.registry import CONDITION, Registry, StoppingError, patiently
from registrar.settings import RegistrarSettings

BATCH = 256
FETCH_S = 0.2
RETRY_S = 0.1
DRAIN_S = 2.0
EVENTS_KEPT = timedelta(days=7)
log = structlog.get_logger()
EVENTS = Counter("qiki_registrar_events_total", "Messages of the durable", ["outcome"])
PENDING = Gauge("qiki_registrar_pending_messages", "Messages that the durable has not delivered yet")


async def main(service: Service[RegistrarSettings]) -> None:
    """Take up the log where it ends, then follow the events until told to stop."""
    service.health.wait_for(CONDITION, "not open yet")
    async with connect(service) as link:
        if not await durable_is_there(service, link.jetstream):
            return
        with contextlib.suppress(StoppingError):
            async with opened(service) as (journal, torn):
                anchor = await newest_anchor(link.jetstream)
                recalled = await patiently(service, lambda: recall(journal.folder, anchor, now() - EVENTS_KEPT))
                async with PublishWindow(link) as window, service.events.sent_by(window):
                    registry = Registry(service, journal, recalled.seen, window)
                    await take_up(registry, journal, recalled, torn, anchor)
                    service.log.info("audit log is open", folder=str(journal.folder), sequence=journal.head.sequence)
                    await _work(service, link.jetstream, registry, window, recalled)
                    with contextlib.suppress(TimeoutError):  # what is not stored yet is published again at the start
                        await asyncio.wait_for(window.drained(), DRAIN_S)


async def take_up(
    registry: Registry, journal: Journal, recalled: Recalled, torn: Sequence[Torn], anchor: Head | None
) -> None:
    """Tell the audit subject what it lacks, and put on record what is not as it was left."""
    found = found_instead(journal.head, anchor, recalled.contradiction)
    journal.head = continued(journal.head, anchor)
    await registry.publish(recalled.after_anchor)
    await registry.record_repairs(torn)
    if found and anchor:
        await registry.record_break(found, anchor)


async def durable_is_there(service: Service[RegistrarSettings], jetstream: JetStreamContext) -> bool:
    """Ask until it is; False when the service is told to stop first."""
    durable = topics.REGISTRAR_DURABLE
    service.health.wait_for("stream", f"{topics.QIKI_EVENTS_V1} and {durable} are not there yet")
    while not service.stopping.is_set():
        try:
            await jetstream.consumer_info(topics.QIKI_EVENTS_V1, durable)
        except (nats.errors.Error, NotFoundError, TimeoutError):
            await asyncio.sleep(RETRY_S)
        else:
            service.health.met("stream")
            return True
    return False


@asynccontextmanager
async def opened(service: Service[RegistrarSettings]) -> AsyncIterator[tuple[Journal, list[Torn]]]:
    """The audit log, once its folder can be written."""
    settings = service.settings
    limits = FileLimits(settings.audit_max_bytes, settings.audit_max_age_sec, settings.audit_keep_files)
    journal = Journal(settings.audit_dir, limits)
    try:
        yield journal, await patiently(service, journal.open)
    finally:
        journal.close()


async def _work(
    service: Service[RegistrarSettings],
    jetstream: JetStreamContext,
    registry: Registry,
    window: PublishWindow,
    recalled: Recalled,
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_until_stopping(follow(service, jetstream, registry, window)))
        for traffic in TRAFFIC:
            last = recalled.radar.get(traffic.kind.ce_type, {})
            group.create_task(_until_stopping(summarise(service, jetstream, registry, traffic, last)))


async def _until_stopping(work: Coroutine[Any, Any, None]) -> None:
    with contextlib.suppress(StoppingError):
        await work


async def follow(
    service: Service[RegistrarSettings], jetstream: JetStreamContext, registry: Registry, window: PublishWindow
) -> None:
    """Fetch, register, acknowledge, until the service stops."""
    durable = await jetstream.pull_subscribe_bind(durable=topics.REGISTRAR_DURABLE, stream=topics.QIKI_EVENTS_V1)
    while not service.stopping.is_set():
        try:
            messages = await durable.fetch(BATCH, timeout=FETCH_S)
        except TimeoutError:
            continue
        except nats.errors.Error as error:  # the broker is away, or not ready yet
            service.log.debug("nothing fetched", reason=repr(error))
            await asyncio.sleep(RETRY_S)
            continue
        if messages:
            PENDING.set(messages[-1].metadata.num_pending)
            await take(messages, registry, window)


async def take(messages: Sequence[Msg], registry: Registry, window: PublishWindow) -> None:
    """Register a batch, or put aside what cannot be read; acknowledge once all of it is stored."""
    drafts, letters = list[Draft](), list["asyncio.Future[int]"]()
    for message in messages:
        if message.subject == topics.AUDIT.subject:
            EVENTS.labels("own").inc()
            continue
        try:
            drafts.append(read_draft(message.subject, message.headers, message.data, stored_at(message)))
            EVENTS.labels("event").inc()
        except BrokenEventError as error:
            EVENTS.labels("broken").inc()
            letters.append(await bury(message, error, window))
    try:
        await registry.register(drafts)
    except StoppingError:
        for message in messages:
            await message.nak()  # for the next process, at once
        raise
    if letters:
        await asyncio.wait(letters)
    for message in messages:
        await message.ack()


async def bury(message: Msg, error: BrokenEventError, window: PublishWindow) -> "asyncio.Future[int]":
    """Put a message aside with the reason."""
    sequence = message.metadata.sequence.stream
    log.warning("dead letter", subject=message.subject, sequence=sequence, reason=str(error))
    subject, headers = dead_letter(message.subject, topics.QIKI_EVENTS_V1, sequence, str(error))
    try:
        return await window.publish(subject, message.data, headers)
    except nats.errors.MaxPayloadError:  # its own headers were smaller than a dead letter's
        return await window.publish(subject, b"", headers)
