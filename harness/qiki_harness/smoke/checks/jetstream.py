"""Streams and durable consumers: their configuration, and how far each is behind."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from http.client import HTTPException

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError
from prometheus_client.parser import text_string_to_metric_families

from nats_js_init.settings import InitSettings
from nats_js_init.streams import Config, StreamPlan, differences, plan
from qiki.contracts import topics
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import BRIDGE

FRESH_S = 15.0
"""Three times the monitor's usual interval."""
GAUGES = (
    "qiki_jetstream_consumer_lag",
    "qiki_jetstream_consumer_ack_pending",
    "qiki_jetstream_consumer_redelivered",
    "qiki_jetstream_consumer_oldest_seconds",
)
ASKED = "qiki_jetstream_lag_asked_timestamp_seconds"
DURABLES = tuple((str(topic.stream), durable.name) for topic in topics.TOPICS for durable in topic.durables)


def streams(twin: Twin) -> str:
    """Check that every stream and durable of the table is there, with every setting that nats-js-init applies."""
    plans = plan(load_settings(InitSettings))
    if faults := twin.jetstream(lambda jetstream: _faults(jetstream, plans)):
        raise CheckFailedError(f"{'; '.join(faults)} (nats-js-init mends it)")
    durables = sum(len(wanted.consumers) for wanted in plans)
    return f"{len(plans)} streams and {durables} durables, configured as the table says"


async def _faults(jetstream: JetStreamContext, plans: Sequence[StreamPlan]) -> list[str]:
    faults = []
    for wanted in plans:
        stream = str(wanted.config.name)
        faults.append(await _fault(f"stream {stream}", jetstream.stream_info(stream), wanted.config))
        for consumer in wanted.consumers:
            durable = str(consumer.durable_name)
            info = jetstream.consumer_info(stream, durable)
            faults.append(await _fault(f"durable {stream}/{durable}", info, consumer))
    return [fault for fault in faults if fault]


async def _fault(name: str, info: Awaitable[StreamInfo | ConsumerInfo], wanted: Config) -> str:
    try:
        differs = differences((await info).config, wanted)
    except NotFoundError:
        return f"there is no {name}"
    return f"{name}: {differs}" if differs else ""


def lag(twin: Twin) -> str:
    """Check that every gauge has a value for every durable, and that the bridge asked about them a moment ago."""
    try:
        page = twin.metrics_page(BRIDGE)
    except (OSError, HTTPException, ValueError) as error:
        url = f"{twin.backing.http_url(BRIDGE)}/metrics"
        raise CheckFailedError(f"{url} does not answer: {error} (BRIDGE_HTTP says where the bridge is)") from None
    return judge(page, time.time())


def judge(page: str, now_epoch: float) -> str:
    """Return how far the durables are behind, as a page of metrics shows it: not enough, or nothing new, fails."""
    values: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    try:
        for sample in (one for family in text_string_to_metric_families(page) for one in family.samples):
            durable = sample.labels.get("stream", ""), sample.labels.get("consumer", "")
            values[sample.name][durable] = sample.value
    except ValueError as error:
        raise CheckFailedError(f"the bridge's metrics do not read: {error}") from None
    asked_epoch = values[ASKED].get(("", ""))
    if asked_epoch is None or now_epoch - asked_epoch > FRESH_S:
        age = "never" if asked_epoch is None else f"{now_epoch - asked_epoch:.0f} s ago"
        raise CheckFailedError(f"the readers were last asked {age}, expected within {FRESH_S:g} s")
    for gauge in GAUGES:
        if missing := [name for stream, name in DURABLES if (stream, name) not in values[gauge]]:
            raise CheckFailedError(f"{gauge} has no value for {', '.join(missing)}")
    behind = ", ".join(f"{name} {values[GAUGES[0]][stream, name]:.0f}" for stream, name in DURABLES)
    return f"asked {now_epoch - asked_epoch:.1f} s ago; messages waiting: {behind}"
