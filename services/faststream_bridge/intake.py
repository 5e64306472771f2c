"""The intake: all that the durable has delivered, in one list, handed over at once.

FastStream makes a task of each message; or it waits for a full batch, which at ten frames a second takes long. Here
the server always has a request, so it sends a frame as soon as that is stored, and no message has a task of its own.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import cache, wraps
from typing import Any

import nats.errors
from faststream import FastStream
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import to_json

from qiki.contracts.numbers import whole_number
from qiki.runtime.nats_patches import Patch
from qiki.runtime.retry import RETRY_S

VERSION = "0.7"  # of FastStream
REQUEST_S = 1.0
GRACE_S = 0.2  # beyond its end after which a request counts as lost
NS = 1_000_000_000
ENDED = {"408", "409"}  # status of a request that has ended, with the number of messages that it still wanted
LEFT = "Nats-Pending-Messages"


class Intake:
    """Messages of a durable, in the order of their delivery.

    At most `batch` messages are requested or wait here. A request ends after `request_s`: then the server says so, or
    has forgotten it, and another one is made.
    """

    def __init__(self, client: Client, stream: str, durable: str, batch: int, request_s: float) -> None:
        self._client = client
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._delivery = f"$JS.ACK.{stream}.{durable}."  # prefix of a message's reply subject
        self._batch, self._request_s = batch, request_s
        self._inbox = client.new_inbox()
        self._waiting: list[Msg] = []
        self._wanted = 0  # by the server's requests
        self._lost_s = 0.0  # time at which the newest request counts as lost
        self._came = asyncio.Event()

    async def begin(self) -> None:
        """Subscribe."""
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def unsubscribe(self) -> None:
        """End the subscription; the server delivers no more."""
        with contextlib.suppress(nats.errors.Error):
            await self._subscription.unsubscribe()

    async def renew(self) -> None:
        """Request again: the server forgets all requests when the connection is lost."""
        self._wanted = 0
        self._came.set()

    async def messages(self) -> list[Msg]:
        """Return all messages that wait, once there are some."""
        while not self._waiting:
            self._came.clear()
            await self._request()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S if not self._wanted else self._lost_s - self._now_s()):
                    await self._came.wait()
        messages, self._waiting = self._waiting, []
        await self._request()
        return messages

    async def _request(self) -> None:
        """Request more while the messages that were requested are taken, so that none has to wait for a request."""
        now_s = self._now_s()
        if now_s >= self._lost_s:
            self._wanted = 0
        count = self._batch - self._wanted - len(self._waiting)
        if 2 * count < self._batch or not self._client.is_connected:
            return
        request = {"batch": count, "expires": int(self._request_s * NS)}
        with contextlib.suppress(nats.errors.Error):  # the connection went just now
            await self._client.publish(self._next, to_json(request), self._inbox)
            self._wanted += count
            self._lost_s = now_s + self._request_s + GRACE_S

    async def _take(self, message: Msg) -> None:
        if message.reply.startswith(self._delivery):
            self._waiting.append(message)
            self._wanted -= 1
            self._came.set()
            return
        headers = message.headers or {}
        if headers.get("Status") in ENDED and LEFT in headers:
            with contextlib.suppress(ValueError):  # not the server's
                self._wanted -= whole_number(headers[LEFT], LEFT, self._batch)
                self._came.set()

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _at_once(original: Callable[..., Any]) -> Callable[[BatchPullStreamSubscriber], Awaitable[None]]:
    """Hand over what is there: FastStream's batch subscriber waits until a batch is full, or its time is over."""

    @wraps(original)
    async def attempt(subscriber: BatchPullStreamSubscriber) -> None:
        if subscriber.subscription is None:
            stream, durable = subscriber.stream.name, subscriber.extra_options["durable"]
            batch, request_s = subscriber.pull_sub.batch_size, subscriber.pull_sub.timeout or REQUEST_S
            intake = Intake(subscriber.connection, stream, durable, batch, request_s)
            await intake.begin()
            subscriber.subscription = intake  # type: ignore[assignment]
            subscriber.add_task(_hand_over, (subscriber, intake))

    return attempt


async def _hand_over(subscriber: BatchPullStreamSubscriber, intake: Intake) -> None:
    while subscriber.running:
        await subscriber.consume(await intake.messages())


PATCH = Patch(BatchPullStreamSubscriber, "_create_subscription", _at_once)
patch = cache(PATCH.apply)


def intakes(app: FastStream) -> list[Intake]:
    """Return the intakes of an application that has started."""
    found: Any = app.broker.subscribers if app.broker else ()
    return [subscriber.subscription for subscriber in found]
