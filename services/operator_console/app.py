"""The operator's page: it is served, and links become operators' rights, until the service stops."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from prometheus_client import Counter, Gauge

from operator_console.configuration import configuration, shown
from operator_console.settings import ConsoleSettings
from operator_console.web import application
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.identities.credentials import CERTIFICATE, CERTIFICATE_KEY
from qiki.runtime.identities.pages import Pages, PageUser
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service

CONDITION = "page"
PRUNE_S = 1.0
RELOADED_S = 1.5
"""Time until the broker knows a new user: its watcher looks twice a second."""
BACKLOG = 128
CONNECTIONS = 256
LINKS = Counter("qiki_console_links_total", "Links that were exchanged, or refused", ["outcome"])
OPERATORS = Gauge("qiki_console_operators", "Users of the broker that pages have now")
log = structlog.get_logger()


async def main(service: Service[ConsoleSettings]) -> None:
    """Serve the page until the service stops, also while the broker is away."""
    settings = service.settings
    service.health.wait_for(CONDITION, "not served yet")
    pages = Pages(settings.qiki_pages_dir)

    async def exchange(token: str) -> PageUser | None:
        user = pages.exchange(token, now(), timedelta(seconds=settings.console_session_sec))
        LINKS.labels("exchanged" if user else "refused").inc()
        log.info("a link was exchanged" if user else "a link was refused", user=user and user.user)
        if user is not None:
            await asyncio.sleep(RELOADED_S)
        return user

    def serving() -> None:
        log.info("serves the page", address=settings.console_listen)
        service.health.met(CONDITION)

    urls = [str(source.url) for source in shown(settings).sources]
    with _listening(settings) as listener:
        server = _Server(_uvicorn(settings, application(configuration(settings), urls, exchange)), serving)
        # Nothing of the console's own may come among the messages of a recording.
        reports = [] if settings.console_shown else [_report(service)]
        await service.until_stopped(server.serve(sockets=[listener]), _end_rights(pages), *reports)


async def _report(service: Service[ConsoleSettings]) -> None:
    """Tell the broker of the service's life and health."""
    async with connect(service) as link, Publisher(link) as publisher, service.events.sent_by(publisher):
        await service.stopping.wait()


async def _end_rights(pages: Pages) -> None:
    """Remove users whose right has ended, in time."""
    while True:
        for user in pages.prune(now()):
            log.info("an operator's right has ended", user=user.user)
        OPERATORS.set(len(pages.users))
        await asyncio.sleep(PRUNE_S)


class _Server(uvicorn.Server):
    """uvicorn without signals: the service's life is `run_service`'s. `serving` is called when it listens."""

    def __init__(self, config: uvicorn.Config, serving: Callable[[], None]) -> None:
        super().__init__(config)
        self._serving = serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._serving()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _uvicorn(settings: ConsoleSettings, application: Any) -> uvicorn.Config:
    options: dict[str, Any] = {}
    if settings.qiki_tls_names:
        folder = settings.qiki_keys_dir or Path()
        options = {"ssl_certfile": folder / CERTIFICATE, "ssl_keyfile": folder / CERTIFICATE_KEY}
    return uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        **options,
    )


@contextlib.contextmanager
def _listening(settings: ConsoleSettings) -> Iterator[socket.socket]:
    host, _, port = settings.console_listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise UserError(f"CONSOLE_LISTEN: cannot listen on {settings.console_listen}: {error.strerror}") from None
        yield listener
