"""The connection to NATS: made when the broker answers, made again after each loss, its state on `/readyz`."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client, Server
from nats.js import JetStreamContext
from prometheus_client import Gauge

from qiki.contracts.events import NATS_CONNECTED, NATS_DISCONNECTED
from qiki.contracts.identities import VIEWER
from qiki.runtime import nats_patches
from qiki.runtime.health import Health
from qiki.runtime.health_reports import report_health
from qiki.runtime.identities.credentials import credentials
from qiki.runtime.retry import RETRY_S, listening, pause_s
from qiki.runtime.service import S, Service
from qiki.runtime.tasks import background

CONNECTED = Gauge("qiki_nats_connected", "1 while the connection to NATS is up", ["connection"])
# A silent broker counts as lost after three intervals: with the time between health checks that is within 5 s.
PING_INTERVAL_S = 0.8
PINGS_MISSED = 2
CLOSE_S = 2.0
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)
CONNECT_TIMEOUT_S = 2

Hook = Callable[[], Awaitable[None]]


@dataclass
class Hooks:
    """Callbacks for the loss and the return of a connection; `closing`: the service closes it itself."""

    on_lost: list[Hook] = field(default_factory=list)
    on_restored: list[Hook] = field(default_factory=list)
    closing: bool = False


@dataclass
class Link:
    """A connection and its hooks; `fast_ingest`: publishers may use it; `emit`: `Service.emit`."""

    client: Client
    hooks: Hooks = field(default_factory=Hooks)
    health: Health | None = None
    fast_ingest: bool = True
    emit: Callable[..., None] | None = None

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on this connection."""
        return self.client.jetstream()


def new_client() -> Client:
    """Return a patched client that is not connected yet. Every client of ours is made here."""
    nats_patches.apply()
    return Client()


@asynccontextmanager
async def connect(service: Service[S], role: str = "nats") -> AsyncIterator[Link]:
    """Connect for as long as the context lasts; wait for the broker. `role` is a condition of readiness."""
    link = Link(new_client(), health=service.health, fast_ingest=service.settings.nats_fast_ingest, emit=service.emit)
    options = connection_options(service, link.hooks, role, link.client)
    service.health.wait_for(role, "not connected yet")
    await reachable(options["servers"][0], service.stopping)
    if service.stopping.is_set():  # before there was a broker: there is nothing to close
        yield link
        return
    await link.client.connect(**options)
    _up(service, role)
    try:
        async with background(report_health(service.health, link.client)):
            yield link
    finally:
        if link.client.is_closed and not service.stopping.is_set():  # report this error before its consequences
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(service.failed.wait(), CONNECT_TIMEOUT_S)
        link.hooks.closing = True
        await _close(link.client)


async def _close(client: Client) -> None:
    """Send the pending commands, and close. The broker may end at the same moment, or hang."""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(CLOSE_S):
            if client.is_connected:
                await client.flush()
    with contextlib.suppress(OSError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


def connection_options(service: Service[S], hooks: Hooks, role: str, client: Client | None = None) -> dict[str, Any]:
    """Return options of nats-py's `connect`: it reconnects for ever.

    Raises:
        CredentialsError: the folder that the settings name has none.
    """
    own = credentials(service.settings.qiki_keys_dir)
    identity = own.name if own else VIEWER

    async def lost() -> None:
        CONNECTED.labels(role).set(0)
        if not service.stopping.is_set():
            service.log.warning("NATS connection lost", connection=role)
            service.health.wait_for(role, "connection lost")
            service.health.tried(role)
            service.emit(NATS_DISCONNECTED, connection=role)
        await _call(service, hooks.on_lost)

    async def restored() -> None:
        service.log.info("NATS connection restored", connection=role)
        _up(service, role)
        await _call(service, hooks.on_restored)

    async def closed() -> None:
        """End the service: the server refuses our commands, and the client does not reconnect after that."""
        if not (hooks.closing or service.stopping.is_set()):
            reason = (client and client.last_error) or "see the server's log"
            service.fail("NATS connection closed for good", connection=role, reason=str(reason))

    async def failed(error: Exception) -> None:
        service.log.debug("NATS", connection=role, error=repr(error))
        if refusal := _refusal(error, identity):
            service.log.error("NATS refuses", connection=role, reason=refusal)
            service.health.wait_for(_rights(role), refusal)
        if role in service.health.problems:
            service.health.tried(role)
        if _of_callback(error):
            service.crash(error)

    return {
        "servers": [service.settings.nats_url],
        "name": f"{service.name}/{role}",
        "max_reconnect_attempts": -1,
        "reconnect_to_server_handler": _soon,
        "reconnect_time_wait": RETRY_S,  # bounds the close of a client that reconnects, too
        "ping_interval": PING_INTERVAL_S,
        "max_outstanding_pings": PINGS_MISSED,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "disconnected_cb": lost,
        "reconnected_cb": restored,
        "closed_cb": closed,
        "error_cb": failed,
        **(own.nats(service.settings.nats_url) if own else {}),
    }


async def reachable(url: str, stopping: asyncio.Event) -> None:
    """Wait until a server listens at `url`, or the service stops. nats-py waits two seconds after a first refusal."""
    parts = urlsplit(url)
    await listening(parts.hostname or "", parts.port or 4222, stopping)


def _soon(servers: list[Server], _: dict[str, Any]) -> tuple[Server, float]:
    """Return the server of the next attempt to reconnect, and the pause before it: a killed broker is back soon."""
    server = min(servers, key=lambda one: one.reconnects)
    return server, pause_s(server.reconnects + 1)


def _up(service: Service[S], role: str) -> None:
    service.health.met(role)
    if _rights(role) in service.health.problems:  # others now, perhaps
        service.health.met(_rights(role))
    CONNECTED.labels(role).set(1)
    service.emit(NATS_CONNECTED, connection=role)


async def _call(service: Service[S], callbacks: list[Hook]) -> None:
    """Call hooks. An error of one would end the client's attempts to reconnect, unseen."""
    try:
        for hook in callbacks:
            await hook()
    except Exception as error:
        service.crash(error)


def _rights(role: str) -> str:
    """Return the condition of readiness about a connection's rights."""
    return f"rights of {role}"


def _refusal(error: Exception, identity: str) -> str:
    """Return what the server refused to an identity, as text; empty for another error."""
    if isinstance(error, nats.errors.AuthorizationError):
        return f"NATS does not know the key of {identity}: revoked, expired, or another stack's"
    if found := _VIOLATION.search(str(error)):
        return f"{identity} may not {'publish to' if found[1] == 'publish' else 'subscribe to'} {found[2]}"
    return ""


def _of_callback(error: Exception) -> bool:
    """Return whether a subscription's callback failed by a bug; nats-py reports that like a lost connection."""
    by = error.__traceback__ and error.__traceback__.tb_frame.f_code.co_name
    return by == "_wait_for_msgs" and not isinstance(error, nats.errors.Error | OSError)
