"""Streams and durable consumers, compared with the plan that nats-js-init applies."""

from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import NotFoundError

from nats_js_init.apply import differences
from nats_js_init.plan import plan
from nats_js_init.settings import InitSettings
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.twin import Twin


def streams(twin: Twin) -> str:
    """Check that every stream and durable of the table is there, with every setting that the table gives."""
    plans = plan(load_settings(InitSettings))
    faults = []
    for wanted in plans:
        faults.append(_stream_fault(twin, wanted.config))
        faults += [_consumer_fault(twin, str(wanted.config.name), consumer) for consumer in wanted.consumers]
    if found := [fault for fault in faults if fault]:
        raise CheckFailedError(f"{'; '.join(found)} (nats-js-init mends it)")
    durables = sum(len(wanted.consumers) for wanted in plans)
    return f"{len(plans)} streams and {durables} durables, configured as the table says"


def _stream_fault(twin: Twin, wanted: StreamConfig) -> str:
    name = str(wanted.name)
    try:
        differs = differences(twin.jetstream(lambda jetstream: jetstream.stream_info(name)).config, wanted)
    except NotFoundError:
        return f"there is no stream {name}"
    return f"{name}: {differs}" if differs else ""


def _consumer_fault(twin: Twin, stream: str, wanted: ConsumerConfig) -> str:
    name = str(wanted.durable_name)
    try:
        differs = differences(twin.consumer(stream, name).config, wanted)
    except NotFoundError:
        return f"{stream} has no durable {name}"
    return f"{stream}/{name}: {differs}" if differs else ""
