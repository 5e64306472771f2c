"""The life of a service: settings, logs, health, signals, drain, exit status."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar

import structlog

from qiki.contracts.events import BOOT_OK, BOOT_START, HEALTH_FAILED, HEALTH_OK, EventKind
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.health import Health, Watchdog
from qiki.runtime.health_server import HealthServer
from qiki.runtime.identities.credentials import TOLD_BEFORE, CredentialsError, credentials
from qiki.runtime.logs import configure_logging
from qiki.runtime.probe import ask_in_loop, health_page, write_error
from qiki.runtime.settings import ServiceSettings, load_settings
from qiki.runtime.tasks import TaskGroup
from qiki.runtime.terminal import echo

S = TypeVar("S", bound=ServiceSettings)
BEAT_S = 0.5
LOOK_S = 1.0
DAY_S = 86_400.0
STORAGE = "storage"
DRAIN_S = 4.5  # the contract's 5 s less the interpreter's own end


@dataclass
class Service(Generic[S]):
    """A running service, as its main coroutine gets it."""

    name: str
    settings: S
    health: Health
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    log: Any = field(default_factory=structlog.get_logger)
    events: Events = field(init=False)

    def __post_init__(self) -> None:
        self.events = Events(self.name)

    def fail(self, event: str, **details: object) -> None:
        """Log in one line why only a new process can go on, and end this one with status 1."""
        self.log.error(event, **details)
        self.failed.set()

    def crash(self, error: BaseException) -> None:
        """End the process for an error that no caller sees: log its traceback, status 1."""
        self.fail("ended by a bug", exc_info=error)

    def emit(self, kind: EventKind, **fields: Any) -> None:
        """Emit an event of the service itself, with the payload's other fields."""
        self.events.emit(kind, kind.model(source=self.name, ts_epoch=now().timestamp(), **fields))

    async def until_stopped(self, *work: Coroutine[Any, Any, None]) -> None:
        """Run coroutines until the service is to stop, then cancel them. An error in one ends all."""
        async with TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            await group.create_task(self.stopping.wait())
            for task in tasks:
                task.cancel()


def run_service(name: str, settings_type: type[S], main: Callable[[Service[S]], Awaitable[None]]) -> None:
    """Run a service to its end, and end the process.

    `main` returns once `service.stopping` is set and all it holds is stored; after the contract's limit it is cut off.
    Exit status: 0 asked to stop, 2 an error of the user, 1 a bug, or what a new process can mend (`Service.fail`).
    """
    gc.freeze()  # the imported modules last
    gc.enable()
    try:
        settings = load_settings(settings_type)
        configure_logging(name, settings.log_level)
        status = _runner()(_run(Service(name, settings, Health(name)), main))
    except UserError as error:
        echo(f"{name}: {error}", stream=sys.stderr)
        status = 2
    _exit(status)


def _exit(status: int) -> NoReturn:
    """End at once: nothing is left to do, and the libraries' tasks and threads can delay an exit."""
    with contextlib.suppress(OSError):  # the log may have no room
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _runner() -> Callable[[Coroutine[Any, Any, int]], int]:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:  # no wheel for this platform
        return asyncio.run
    return uvloop.run


async def _run(service: Service[S], main: Callable[[Service[S]], Awaitable[None]]) -> int:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, service.stopping.set)
    try:
        server = HealthServer(service.health, service.settings.qiki_http_host, service.settings.qiki_http_port)
    except OSError as error:
        address = f"{service.settings.qiki_http_host}:{service.settings.qiki_http_port}"
        raise UserError(f"QIKI_HTTP_PORT: cannot listen on {address}: {error.strerror}") from None
    service.health.wait_for("main", "starting")
    with server, Watchdog(service.health, service.settings.qiki_watchdog_sec):
        service.log.info("started", http_port=server.port)
        service.emit(BOOT_START)
        return await _supervise(service, main)


async def _supervise(service: Service[S], main: Callable[[Service[S]], Awaitable[None]]) -> int:
    work = asyncio.ensure_future(main(service))
    ends = [asyncio.create_task(event.wait()) for event in (service.stopping, service.failed)]
    watchers = (_beat(service), _watch_storage(service), _watch_expiry(service))
    helpers = [asyncio.create_task(watcher) for watcher in watchers]
    await asyncio.sleep(0)  # its first step sets the conditions of readiness
    service.health.met("main")
    await asyncio.wait({work, *ends, *helpers}, return_when=asyncio.FIRST_COMPLETED)
    for helper in helpers:
        if helper.done() and (error := helper.exception()):
            service.crash(error)
    if service.failed.is_set():
        _exit(1)
    await asyncio.wait({work}, timeout=DRAIN_S)
    if not work.done():
        service.log.error("not drained in time", limit_s=DRAIN_S)
        _exit(1)
    try:
        work.result()
    except Exception as error:
        if (fault := _user_error(error)) is not None:
            raise fault from None
        service.log.exception("ended by a bug")
        return 1
    service.log.info("stopped")
    return 0


def _user_error(error: BaseException) -> UserError | None:
    """Return the user's error if a task group raised nothing else."""
    if isinstance(error, BaseExceptionGroup):
        faults = [_user_error(one) for one in error.exceptions]
        return faults[0] if all(faults) else None
    return error if isinstance(error, UserError) else None


async def _beat(service: Service[S]) -> None:
    """Show that the event loop turns, and emit an event when readiness changes."""
    was_ready: bool | None = None
    while True:
        service.health.beat()
        is_ready, _ = service.health.ready()
        if is_ready and was_ready is None:
            gc.freeze()  # a service's parts last: collecting garbage among them delayed a frame
            service.emit(BOOT_OK)
        elif was_ready is not None and is_ready != was_ready:
            kind = HEALTH_OK if is_ready else HEALTH_FAILED
            service.emit(kind, problems=dict(service.health.problems))
        if is_ready or was_ready is not None:
            was_ready = is_ready
        await asyncio.sleep(BEAT_S)


async def _watch_expiry(service: Service[S]) -> None:
    """Say each day from a month before it that the identity's key expires."""
    while True:
        own = None
        with contextlib.suppress(CredentialsError):  # the connection says it
            own = credentials(service.settings.qiki_keys_dir)
        if own and (left := own.expires - now()) < TOLD_BEFORE:
            service.log.warning("the key expires", identity=own.name, expires=own.expires.isoformat(), days=left.days)
        await asyncio.sleep(DAY_S)


async def _watch_storage(service: Service[S]) -> None:
    """Be unready while NATS cannot write its streams, also in a service that rarely publishes."""
    health = service.health
    while service.settings.nats_http is not None:
        _, body = await ask_in_loop(health_page(service.settings.nats_http))
        error = write_error(body)
        if error:
            health.wait_for(STORAGE, f"NATS stores nothing: {error}")
        elif error is not None and STORAGE in health.problems:
            health.met(STORAGE)
        await asyncio.sleep(LOOK_S)
    await asyncio.Event().wait()
