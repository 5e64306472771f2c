"""Streams and consumers: planned from the table of topics, and made or updated in JetStream."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    PersistMode,
    ReplayPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from nats_js_init.settings import InitSettings
from qiki.contracts.topics import STREAMS, TOPICS, Durable, Stream, Topic
from qiki.errors import UserError

Config = StreamConfig | ConsumerConfig
Put = Callable[[Any], Awaitable[Any]]
BY_HAND = "; remove it by hand and start nats-js-init again"
FIXED = frozenset({"persist_mode"})
"""Settings that the server takes for a new stream only."""
GRAIN_S = 1e-6
"""Times closer than this are the same: on the way to the server and back they change by a nanosecond or so."""


@dataclass(frozen=True)
class StreamPlan:
    """A stream and the durable consumers that read it."""

    config: StreamConfig
    consumers: tuple[ConsumerConfig, ...] = ()


def plan(settings: InitSettings) -> tuple[StreamPlan, ...]:
    """Return the streams and consumers of the contract, sized by the settings."""
    return tuple(_plan(settings.sized(stream)) for stream in STREAMS)


def _plan(stream: Stream) -> StreamPlan:
    config = StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=stream.max_bytes,
        max_age=stream.max_age_s,
        duplicate_window=stream.duplicate_window_s,
        allow_direct=True,
        allow_batched=True,
        persist_mode=PersistMode.ASYNC if stream.persist_async else PersistMode.DEFAULT,
        deny_delete=stream.permanent,
        deny_purge=stream.permanent,
    )
    readers = ((topic, durable) for topic in TOPICS if topic.stream == stream.name for durable in topic.durables)
    return StreamPlan(config, tuple(_consumer(topic, durable, stream) for topic, durable in readers))


def _consumer(topic: Topic[Any], durable: Durable, stream: Stream) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=durable.name,
        filter_subject=topic.subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=stream.ack_wait_s if durable.ack_wait_s is None else durable.ack_wait_s,
        max_deliver=stream.max_deliver if durable.max_deliver is None else durable.max_deliver,
        max_ack_pending=stream.max_ack_pending,
        deliver_subject="",  # pull
    )


_NO_ROOM = 10047  # insufficient storage resources


class ImpossibleChangeError(UserError):
    """The server refuses to make a stream or consumer, or to change an existing one."""


class NoRoomError(ImpossibleChangeError):
    """The server allows its streams less room together than they reserve."""


@dataclass(frozen=True)
class ApplyReport:
    """The result for one stream or consumer."""

    name: str
    action: str
    changes: str = ""

    def __str__(self) -> str:
        return f"{self.action:<9} {self.name}{': ' + self.changes if self.changes else ''}"


async def apply(jetstream: JetStreamContext, plans: Iterable[StreamPlan]) -> list[ApplyReport]:
    """Create missing streams and consumers, and update those that differ.

    Raises:
        ImpossibleChangeError: the server refuses.
    """
    reports = []
    for plan in plans:
        stream = str(plan.config.name)
        info: Awaitable[Any] = jetstream.stream_info(stream)
        reports += await _apply_stream(stream, plan.config, info, jetstream)
        put = partial(jetstream.add_consumer, stream)
        for one in plan.consumers:
            info = jetstream.consumer_info(stream, str(one.durable_name))
            reports.append(await _apply(f"{stream}/{one.durable_name}", one, info, put, put))
    return reports


async def _apply_stream(
    name: str, wanted: StreamConfig, info: Awaitable[Any], jetstream: JetStreamContext
) -> list[ApplyReport]:
    report = await _apply(name, wanted, info, jetstream.add_stream, jetstream.update_stream)
    if report.action == "created":
        return [report]
    kept = unchangeable((await jetstream.stream_info(name)).config, wanted)
    return (
        [report, ApplyReport(name, "kept", f"the server cannot {kept}; `python -m nats_js_init --migrate` can")]
        if kept
        else [report]
    )


async def _apply(name: str, wanted: Config, info: Awaitable[Any], create: Put, update: Put) -> ApplyReport:
    try:
        existing = (await info).config
    except NotFoundError:
        await _attempt(f"{name}: cannot be created", create(wanted))
        # Where a power failure has left a damaged file of it, the server works with what it was given and keeps the
        # file, so that it would be missing after each restart. An update writes the file.
        await _attempt(f"{name}: cannot be created", update(wanted))
        return ApplyReport(name, "created")
    changes = differences(existing, wanted)
    if not changes:
        return ApplyReport(name, "unchanged")
    await _attempt(f"{name}: cannot {changes}", update(replace(existing, **_asked(wanted, FIXED))), BY_HAND)
    return ApplyReport(name, "updated", changes)


async def _attempt(failure: str, request: Awaitable[Any], advice: str = "") -> None:
    try:
        await request
    except APIError as error:
        if error.err_code == _NO_ROOM:
            raise NoRoomError(f"{failure}: {error.description} (code {error.err_code})") from None
        raise ImpossibleChangeError(f"{failure}: {error.description} (code {error.err_code}){advice}") from None


def _asked(wanted: Config, but: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the values that the plan sets; the server's own defaults stay."""
    return {name: value for name, value in asdict(wanted).items() if value is not None and name not in but}


def differences(existing: Config, wanted: Config) -> str:
    """Return the changes from the existing configuration to the wanted one, as text; empty without any."""
    pairs = ((name, getattr(existing, name), value) for name, value in _asked(wanted, FIXED).items())
    differ = ((name, _plain(old), _plain(new)) for name, old, new in pairs if not _same(old, new))
    return ", ".join(f"change {name} from {old} to {new}" for name, old, new in differ)


def unchangeable(existing: StreamConfig, wanted: StreamConfig) -> str:
    """Return what an existing stream keeps though the plan says otherwise, as text; empty if there is nothing."""
    old, new = existing.persist_mode or PersistMode.DEFAULT, wanted.persist_mode or PersistMode.DEFAULT
    return "" if old == new else f"change persist_mode from {_plain(old)} to {_plain(new)}"


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, float):
        return abs(old - new) < GRAIN_S
    return bool(old == new or not (old or new))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value if value not in (None, "") else "none"
