"""The bridge's lag monitor, as its metrics show it."""

import time
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

from qiki.contracts import topics
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.twin import Twin

BRIDGE = "faststream-bridge"
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


def lag(twin: Twin) -> str:
    """Check that every gauge has a value for every durable, and that the bridge asked about them a moment ago."""
    try:
        page = twin.metrics_page(BRIDGE)
    except (OSError, HTTPException, ValueError) as error:
        url = f"{twin.http_url(BRIDGE)}/metrics"
        raise CheckFailedError(f"{url} does not answer: {error} (BRIDGE_HTTP says where the bridge is)") from None
    return judge(page, time.time())


def judge(page: str, now_epoch: float) -> str:
    """Return what a page of metrics says of the durables.

    Raises:
        CheckFailedError: not enough, or nothing new.
    """
    values = _values(page)
    age_s = now_epoch - values.get(ASKED, {}).get(("", ""), 0.0)
    if ASKED not in values or age_s > FRESH_S:
        age = f"{age_s:.0f} s ago" if ASKED in values else "never"
        raise CheckFailedError(f"the readers were last asked {age}, expected within {FRESH_S:g} s")
    for gauge in GAUGES:
        if missing := [durable for stream, durable in DURABLES if (stream, durable) not in values.get(gauge, {})]:
            raise CheckFailedError(f"{gauge} has no value for {', '.join(missing)}")
    behind = ", ".join(f"{name} {values[GAUGES[0]][stream, name]:.0f}" for stream, name in DURABLES)
    return f"asked {age_s:.1f} s ago; messages waiting: {behind}"


def _values(page: str) -> dict[str, dict[tuple[str, str], float]]:
    found: dict[str, dict[tuple[str, str], float]] = {}
    try:
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    except ValueError as error:
        raise CheckFailedError(f"the bridge's metrics do not read: {error}") from None
    for sample in samples:
        key = (sample.labels.get("stream", ""), sample.labels.get("consumer", ""))
        found.setdefault(sample.name, {})[key] = sample.value
    return found
