"""Messages as they come, and waits for what they say."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from nats.aio.msg import Msg

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        sequence: its place in its stream; 0 where it is not kept
        came_s: when it came, on the monotonic clock
    """

    subject: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 0
    came_s: float = 0.0

    @classmethod
    def read(cls, message: Msg) -> "Message":
        """From the client's."""
        stored = message.reply.startswith("$JS.ACK.")
        sequence = message.metadata.sequence.stream if stored else 0
        return cls(message.subject, message.data, message.headers or {}, sequence, time.monotonic())


class Inbox:
    """What has come on one subscription."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def take(self, message: Message) -> None:
        """One more."""
        self.messages.append(message)
        self._changed.set()

    async def until(self, look: Callable[[list[Message]], T | None], deadline_s: float) -> T | None:
        """What `look` finds in the messages; it looks again whenever one has come. None at the deadline."""
        end_s = time.monotonic() + deadline_s
        while (found := look(self.messages)) is None and (left_s := end_s - time.monotonic()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return found

    async def first(self, condition: Callable[[Message], bool], deadline_s: float) -> Message | None:
        """The first message that meets a condition, also one that has come already; None at the deadline."""
        return await self.until(lambda messages: next(filter(condition, messages), None), deadline_s)
