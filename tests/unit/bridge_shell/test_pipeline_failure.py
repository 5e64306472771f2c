"""A bug in a step ends the bridge: FastStream alone would say nothing, and the frame would be lost without a word."""

import asyncio
from collections.abc import Callable

import pytest

from faststream_bridge.completion import Completion
from faststream_bridge.frames import Delivery, StoredFrame
from faststream_bridge.pipeline import Pipeline
from faststream_bridge.runs import Runs, Tracked


class BrokenRuns(Runs):
    def step(self, stored: StoredFrame) -> Tracked | None:  # noqa: ARG002
        raise IndexError("a bug of ours")


def test_a_bug_in_a_step_ends_the_bridge_and_takes_no_further_frame(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]
):
    acknowledged: list[int] = []

    async def acknowledge() -> None:
        acknowledged.append(1)

    async def main() -> None:
        runs = make_runs()
        runs.__class__ = BrokenRuns
        completion = Completion(None, lambda _: None)  # type: ignore[arg-type]  # nothing is published
        pipeline = Pipeline(runs, None, completion, None, "stream", 0, 1.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for sequence in (1, 2, 1):
            frame = stored(sequence).frame
            await pipeline.take(Delivery(sequence, frame.to_json(), None, acknowledge), sequence, frame)
        with pytest.raises(ExceptionGroup) as caught:
            await finishing
        assert [repr(one) for one in caught.value.exceptions] == ["IndexError('a bug of ours')"]

    asyncio.run(main())
    assert acknowledged == []
