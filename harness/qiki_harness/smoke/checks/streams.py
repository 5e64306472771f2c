"""Streams and durable consumers, compared with the plan that nats-js-init applies."""

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import NotFoundError

from nats_js_init.apply import differences
from nats_js_init.plan import plan
from nats_js_init.settings import InitSettings
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.session import Session


async def streams(session: Session) -> str:
    """Every stream and durable of the table is there, with every setting that the table gives."""
    plans = plan(load_settings(InitSettings))
    jetstream = session.jetstream
    faults = []
    for wanted in plans:
        name = str(wanted.config.name)
        faults.append(await _stream_fault(jetstream, name, wanted.config))
        faults += [await _consumer_fault(jetstream, name, consumer) for consumer in wanted.consumers]
    if found := [fault for fault in faults if fault]:
        raise CheckFailedError(f"{'; '.join(found)} (nats-js-init mends it)")
    durables = sum(len(wanted.consumers) for wanted in plans)
    return f"{len(plans)} streams and {durables} durables, configured as the table says"


async def _stream_fault(jetstream: JetStreamContext, name: str, wanted: StreamConfig) -> str:
    try:
        differs = differences((await jetstream.stream_info(name)).config, wanted)
    except NotFoundError:
        return f"there is no stream {name}"
    return f"{name}: {differs}" if differs else ""


async def _consumer_fault(jetstream: JetStreamContext, stream: str, wanted: ConsumerConfig) -> str:
    name = str(wanted.durable_name)
    try:
        differs = differences((await jetstream.consumer_info(stream, name)).config, wanted)
    except NotFoundError:
        return f"{stream} has no durable {name}"
    return f"{stream}/{name}: {differs}" if differs else ""
