"""The runs that a broker's streams keep: their ids, and what belongs to one of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.sim import SimRun
from qiki.flight.digest import run_of
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.errors import RecordingError
from qiki_harness.twin.wire import check_listening

_CONNECT_S = 10
_EARLIER = timedelta(seconds=5)
"""A message of a run may be stored so much before its description: they go into different streams."""


@dataclass(frozen=True)
class StoredRun:
    """A run that the streams keep.

    Attributes:
        described: when its first kept description was stored
        oldest: no run before it is kept, so its own begin may be gone
        end: when the next run was described; None: it is the newest
    """

    run_id: str
    scenario: str
    described: datetime
    oldest: bool
    end: datetime | None

    @property
    def begin(self) -> datetime | None:
        """Time of storage from which on its messages are looked for; None: from the oldest one."""
        return None if self.oldest else self.described - _EARLIER

    def has(self, message: Msg, stored: datetime) -> bool:
        """Return whether a kept message belongs to it: it names the run, or none and was stored meanwhile."""
        named = run_of(Message(message.subject, message.data, message.headers or {}))
        if named:
            return named == self.run_id
        return (self.oldest or stored >= self.described) and (self.end is None or stored < self.end)


def stored_runs(url: str, keys: str | None) -> tuple[StoredRun, ...]:
    """Return the runs that the streams keep, oldest first.

    Args:
        keys: folder of the credentials, an operator's or the tests'

    Raises:
        HarnessError: the broker does not answer.
    """
    check_listening(url, _CONNECT_S)
    return _runs(asyncio.run(_described(url, keys)))


def find_run(runs: Sequence[StoredRun], beginning: str) -> StoredRun:
    """Return the run whose id begins so.

    Raises:
        RecordingError: none does, or several do.
    """
    found = [run for run in runs if beginning and run.run_id.startswith(beginning.lower())]
    if len(found) == 1:
        return found[0]
    problem = f"the ids of several runs begin with {beginning}" if found else f"no run {beginning} is kept"
    kept = ", ".join(f"{run.run_id} ({run.scenario})" for run in found or runs)
    raise RecordingError(f"{problem} (expected one of: {kept or 'none, the streams are empty'})")


async def _described(url: str, keys: str | None) -> list[tuple[SimRun, datetime]]:
    """Return the descriptions that are kept, with the times of their storage; what is no description is passed over."""
    client = new_client()
    await client.connect(url, name="recorder", connect_timeout=_CONNECT_S, **nats_options(keys, url))
    found: list[tuple[SimRun, datetime]] = []
    try:
        jetstream = client.jetstream(timeout=_CONNECT_S)
        sequence: int | None = 1
        while sequence is not None:
            message = await _next(jetstream, sequence)
            sequence = (message.seq or 0) + 1 if message else None
            if message and message.time:
                with suppress(ValidationError):
                    found.append((SimRun.from_json(message.data or b""), message.time))
    finally:
        await client.close()
    return found


async def _next(jetstream: JetStreamContext, sequence: int) -> RawStreamMsg | None:
    """Return the first description from a sequence on; None without one."""
    try:
        return await jetstream.get_msg(topics.QIKI_STATE_V1, sequence, topics.RUNS.subject, direct=True, next=True)
    except NotFoundError:
        return None


def _runs(found: Sequence[tuple[SimRun, datetime]]) -> tuple[StoredRun, ...]:
    """Return the runs of descriptions, of which a long run has several."""
    first: dict[str, tuple[SimRun, datetime]] = {}
    for described, stored in found:
        first.setdefault(str(described.run_id), (described, stored))
    begins = [stored for _, stored in first.values()]
    return tuple(
        StoredRun(run_id, str(described.scenario.get("name", "")), stored, oldest=stored == begins[0], end=end)
        for (run_id, (described, stored)), end in zip(first.items(), [*begins[1:], None], strict=True)
    )
