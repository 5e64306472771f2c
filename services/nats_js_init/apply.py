"""Make JetStream what the plan says, changing no more than needed."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NotFoundError

from nats_js_init.plan import StreamPlan
from qiki.errors import UserError


class ImpossibleChangeError(UserError):
    """The server refuses to turn what exists into what is asked for."""


@dataclass(frozen=True)
class Report:
    """What became of one stream or consumer."""

    name: str
    action: str
    changes: str = ""

    def __str__(self) -> str:
        return f"{self.action:<9} {self.name}{': ' + self.changes if self.changes else ''}"


async def apply(jetstream: JetStreamContext, plans: Iterable[StreamPlan]) -> list[Report]:
    """Create what is missing, update what differs, leave the rest.

    Raises:
        ImpossibleChangeError: the server refuses an update.
    """
    reports = []
    for plan in plans:
        reports.append(await _apply_stream(jetstream, plan.config))
        reports += [await _apply_consumer(jetstream, str(plan.config.name), one) for one in plan.consumers]
    return reports


async def _apply_stream(jetstream: JetStreamContext, wanted: StreamConfig) -> Report:
    name = str(wanted.name)
    try:
        existing = (await jetstream.stream_info(name)).config
    except NotFoundError:
        await _attempt(name, "be created", jetstream.add_stream(wanted))
        return Report(name, "created")
    changes = differences(existing, wanted)
    if not changes:
        return Report(name, "unchanged")
    await _attempt(name, changes, jetstream.update_stream(replace(existing, **_asked(wanted))))
    return Report(name, "updated", changes)


async def _apply_consumer(jetstream: JetStreamContext, stream: str, wanted: ConsumerConfig) -> Report:
    name = f"{stream}/{wanted.durable_name}"
    try:
        existing = (await jetstream.consumer_info(stream, str(wanted.durable_name))).config
    except NotFoundError:
        await _attempt(name, "be created", jetstream.add_consumer(stream, wanted))
        return Report(name, "created")
    changes = differences(existing, wanted)
    if not changes:
        return Report(name, "unchanged")
    await _attempt(name, changes, jetstream.add_consumer(stream, replace(existing, **_asked(wanted))))
    return Report(name, "updated", changes)


async def _attempt(name: str, change: str, request: Any) -> None:
    try:
        await request
    except APIError as error:
        reason = f"{error.description} (code {error.err_code})"
        raise ImpossibleChangeError(
            f"{name}: cannot {change}: {reason}; remove it by hand to have it made anew"
        ) from None


def _asked(wanted: StreamConfig | ConsumerConfig) -> dict[str, Any]:
    """The values that the plan sets; the server's own defaults are left alone."""
    return {name: value for name, value in asdict(wanted).items() if value is not None}


def differences(existing: StreamConfig | ConsumerConfig, wanted: StreamConfig | ConsumerConfig) -> str:
    """What would have to change for what exists to be what is wanted; empty when nothing."""
    pairs = ((name, getattr(existing, name), value) for name, value in _asked(wanted).items())
    differ = ((name, _plain(old), _plain(new)) for name, old, new in pairs if old != new and (old or new))
    return ", ".join(f"change {name} from {old} to {new}" for name, old, new in differ)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value if value not in (None, "") else "none"
