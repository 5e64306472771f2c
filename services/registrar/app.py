"""The registrar: everything on the events' subjects into the audit log, once each."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from prometheus_client import Counter, Gauge

from qiki.audit.intake import read_draft
from qiki.audit.journal import FileLimits, Journal, Torn
from qiki.audit.record import Draft
from qiki.audit.signing import SigningKey
from qiki.audit.standing import standing
from qiki.contracts import topics
from qiki.runtime.dead_letters import Stored, bury
from qiki.runtime.nats import Link, connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import StoppingError, patiently, unless_stopping, until_there
from qiki.runtime.service import Service
from qiki.runtime.tasks import TaskGroup
from registrar.beginning import begin, record_beginning
from registrar.keys import signing_key
from registrar.radar import TRAFFIC, summarise
from registrar.refused import watch_refused
from registrar.registry import CONDITION, Registry, on_files
from registrar.settings import RegistrarSettings

BATCH = 256
FETCH_S = 0.2
DRAIN_S = 2.0
log = structlog.get_logger()
EVENTS = Counter("qiki_registrar_events_total", "Messages of the durable", ["outcome"])
PENDING = Gauge("qiki_registrar_pending_messages", "Messages that the durable has not delivered yet")


async def main(service: Service[RegistrarSettings]) -> None:
    """Continue the log where it ends, then follow the events until the service stops."""
    service.health.wait_for(CONDITION, "not open yet")
    async with connect(service) as link:
        with contextlib.suppress(StoppingError):
            stream, durable = topics.QIKI_EVENTS_V1, topics.REGISTRAR_DURABLE
            ask = partial(link.jetstream.consumer_info, stream, durable)
            await until_there(service, f"{stream} and {durable} are not there yet", ask)
            anchors = topics.QIKI_ANCHOR_V1
            await until_there(service, f"{anchors} is not there yet", partial(link.jetstream.stream_info, anchors))
            settings = service.settings
            limits = FileLimits(settings.audit_max_bytes, settings.audit_max_age_sec, settings.audit_keep_files)
            with contextlib.closing(Journal(settings.audit_dir, limits)) as journal:
                torn = await on_files(service, journal.open)
                before = await on_files(service, lambda: standing(journal.folder, None, None))
                key = await signing_key(service, before.previous_key)
                await _run(service, link, journal, torn, key)


async def _run(
    service: Service[RegistrarSettings], link: Link, journal: Journal, torn: Sequence[Torn], key: SigningKey | None
) -> None:
    began = await begin(service, link.jetstream, journal, key)
    async with Publisher(link) as publisher, service.events.sent_by(publisher):
        registry = Registry(service, journal, began.recalled.seen, publisher)
        if not began.standing.broken:
            await registry.publish(began.recalled.after_anchor)  # what the audit subject lacks
        journal.head = began.standing.head
        await record_beginning(registry, journal, began, torn)
        service.log.info("audit log is open", folder=str(journal.folder), sequence=journal.head.sequence)
        async with TaskGroup() as group:
            group.create_task(follow(service, link.jetstream, registry, publisher))
            group.create_task(watch_refused(service))
            group.create_task(registry.sign_in_time())
            for traffic in TRAFFIC:
                last = began.recalled.radar.get(traffic.kind.ce_type, {})
                group.create_task(summarise(service, link, registry, traffic, last))
        with contextlib.suppress(TimeoutError):  # what is not stored yet is published again at the start
            async with asyncio.timeout(DRAIN_S):
                await registry.sign_end()
                await publisher.drained()


async def follow(
    service: Service[RegistrarSettings], jetstream: JetStreamContext, registry: Registry, publisher: Publisher
) -> None:
    """Fetch, register, acknowledge, until the service stops."""
    durable = await jetstream.pull_subscribe_bind(durable=topics.REGISTRAR_DURABLE, stream=topics.QIKI_EVENTS_V1)

    async def fetch() -> list[Msg]:
        try:
            return await durable.fetch(BATCH, timeout=FETCH_S)
        except TimeoutError:
            return []

    def failed(error: Exception) -> None:  # the broker is away, or not ready yet
        service.log.debug("nothing fetched", reason=repr(error))

    with contextlib.suppress(StoppingError):
        while True:
            messages = await unless_stopping(service.stopping, patiently(fetch, answers=(), failed=failed))
            if messages:
                PENDING.set(messages[-1].metadata.num_pending)
                await take(messages, registry, publisher)


async def take(messages: Sequence[Msg], registry: Registry, publisher: Publisher) -> None:
    """Register a batch, or bury what is no event; acknowledge once all of it is stored."""
    drafts, letters = list[Draft](), list["asyncio.Future[None]"]()
    for message in messages:
        if message.subject == topics.AUDIT.subject:
            EVENTS.labels("own").inc()
            continue
        try:
            drafts.append(read_draft(message.subject, message.headers, message.data, message.metadata.timestamp))
            EVENTS.labels("event").inc()
        except Exception as error:
            EVENTS.labels("broken").inc()
            letters.append(await bury(publisher, Stored.of_delivery(message), error))
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
