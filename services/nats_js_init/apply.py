"""Make JetStream as planned, with no more changes than needed."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NotFoundError

from nats_js_init.plan import StreamPlan
from qiki.errors import UserError

BY_HAND = "; remove it by hand and start nats-js-init again"
GRAIN_S = 1e-6
"""Times closer than this are the same: the way to the server and back costs a nanosecond or so."""


class ImpossibleChangeError(UserError):
    """The server refuses to make what is asked for, or to turn what exists into it."""


@dataclass(frozen=True)
class ApplyReport:
    """The result for one stream or consumer."""

    name: str
    action: str
    changes: str = ""

    def __str__(self) -> str:
        return f"{self.action:<9} {self.name}{': ' + self.changes if self.changes else ''}"


async def apply(jetstream: JetStreamContext, plans: Iterable[StreamPlan]) -> list[ApplyReport]:
    """Create what is missing, update what differs, leave the rest.

    Raises:
        ImpossibleChangeError: the server refuses.
    """
    reports = []
    for plan in plans:
        reports.append(await _apply_stream(jetstream, plan.config))
        reports += [await _apply_consumer(jetstream, str(plan.config.name), one) for one in plan.consumers]
    return reports


async def _apply_stream(jetstream: JetStreamContext, wanted: StreamConfig) -> ApplyReport:
    name = str(wanted.name)
    try:
        existing = (await jetstream.stream_info(name)).config
    except NotFoundError:
        await _attempt(f"{name}: cannot be created", jetstream.add_stream(wanted))
        return ApplyReport(name, "created")
    changes = differences(existing, wanted)
    if not changes:
        return ApplyReport(name, "unchanged")
    await _attempt(f"{name}: cannot {changes}", jetstream.update_stream(replace(existing, **_asked(wanted))), BY_HAND)
    return ApplyReport(name, "updated", changes)


async def _apply_consumer(jetstream: JetStreamContext, stream: str, wanted: ConsumerConfig) -> ApplyReport:
    name = f"{stream}/{wanted.durable_name}"
    try:
        existing = (await jetstream.consumer_info(stream, str(wanted.durable_name))).config
    except NotFoundError:
        await _attempt(f"{name}: cannot be created", jetstream.add_consumer(stream, wanted))
        return ApplyReport(name, "created")
    changes = differences(existing, wanted)
    if not changes:
        return ApplyReport(name, "unchanged")
    request = jetstream.add_consumer(stream, replace(existing, **_asked(wanted)))
    await _attempt(f"{name}: cannot {changes}", request, BY_HAND)
    return ApplyReport(name, "updated", changes)


async def _attempt(failure: str, request: Any, advice: str = "") -> None:
    try:
        await request
    except APIError as error:
        raise ImpossibleChangeError(f"{failure}: {error.description} (code {error.err_code}){advice}") from None


def _asked(wanted: StreamConfig | ConsumerConfig) -> dict[str, Any]:
    """Return the values that the plan sets; the server's own defaults stay."""
    return {name: value for name, value in asdict(wanted).items() if value is not None}


def differences(existing: StreamConfig | ConsumerConfig, wanted: StreamConfig | ConsumerConfig) -> str:
    """Return the changes from the existing configuration to the wanted one, as text; empty where there are none."""
    pairs = ((name, getattr(existing, name), value) for name, value in _asked(wanted).items())
    differ = ((name, _plain(old), _plain(new)) for name, old, new in pairs if not _same(old, new))
    return ", ".join(f"change {name} from {old} to {new}" for name, old, new in differ)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, float):
        return abs(old - new) < GRAIN_S
    return bool(old == new or not (old or new))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value if value not in (None, "") else "none"
