"""Deliveries that a broken connection took: what they held is read by sequence, whatever comes first after them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from faststream_bridge.completion import Completion
from faststream_bridge.frames import Delivery, StoredFrame
from faststream_bridge.pipeline import Pipeline
from faststream_bridge.runs import Runs, Tracked
from faststream_bridge.snapshot import FailureNote
from faststream_bridge.stream import Position

WHERE = Position("stream", "durable", 1, 100, 0, 0, 0, 0)
DELIVERED = {
    "a new frame": [(1, 1), (2, 2), (5, 5), (6, 6)],
    "one that comes again": [(1, 1), (2, 2), (1, 5), (5, 6), (6, 7)],
    "two that come again": [(1, 1), (2, 2), (1, 5), (2, 6), (5, 7), (6, 8)],
}
"""Sequences and counts of what came: the deliveries 3 and 4 did not."""


class StepOnly(Runs):
    """Notes the numbers of the frames, and tracks nothing."""

    steps: list[int]

    def step(self, stored: StoredFrame, at: datetime | None = None) -> Tracked | None:  # noqa: ARG002
        assert stored.origin is not None
        self.steps.append(stored.origin.frame)
        return None


async def acknowledge() -> None:
    pass


@pytest.mark.parametrize("delivered", DELIVERED.values(), ids=DELIVERED)
def test_the_frames_of_lost_deliveries_are_tracked_in_their_turn(
    make_runs: Callable[[], Runs],
    stored: Callable[..., StoredFrame],
    tmp_path: Path,
    delivered: list[tuple[int, int]],
):
    runs = make_runs()
    runs.__class__ = StepOnly
    assert isinstance(runs, StepOnly)
    runs.steps = []

    class Stream:
        async def between(self, first: int, last: int) -> AsyncIterator[Delivery]:
            for sequence in range(first, last + 1):
                yield Delivery(sequence, b"", None, stored(sequence), acknowledge)

    async def main() -> None:
        completion = Completion(None, lambda _: None)  # type: ignore[arg-type]  # nothing is published
        pipeline = Pipeline(runs, None, completion, Stream(), WHERE, FailureNote(tmp_path), 9.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for sequence, count in delivered:
            await pipeline.take(Delivery(sequence, b"", None, stored(sequence), acknowledge, count=count))
        await completion.drained()
        finishing.cancel()

    asyncio.run(main())
    assert runs.steps == [1, 2, 3, 4, 5, 6]
