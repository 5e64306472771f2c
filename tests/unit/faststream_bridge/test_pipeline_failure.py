"""A bug in a step ends the bridge: FastStream alone would say nothing, and the frame would be lost without a word."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest

from faststream_bridge.completion import Completion
from faststream_bridge.frames import Delivery, Poison, StoredFrame, read_content
from faststream_bridge.pipeline import Pipeline
from faststream_bridge.runs import Runs, Tracked
from faststream_bridge.snapshot import FailureNote
from faststream_bridge.stream import Position
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import RADAR, EncodedMessage, Message
from qiki.radar import RadarParameters

WHERE = Position("stream", "durable", 1, 100, 0, 0, 0, 0)


class BrokenRuns(Runs):
    def step(self, stored: StoredFrame, at: datetime | None = None) -> Tracked | None:  # noqa: ARG002
        raise IndexError("a bug of ours")


class Window:
    """Stores what it is given at once."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, dict[str, str]]] = []

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> "asyncio.Future[None]":
        return await self.publish_all([Message(subject, body, headers)])

    async def publish_all(self, messages: Sequence[Message | EncodedMessage]) -> "asyncio.Future[None]":
        self.stored += [(message.subject, dict(getattr(message, "headers", {}))) for message in messages]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def test_a_bug_in_a_step_ends_the_bridge_and_takes_no_further_frame(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame], tmp_path: Path
):
    acknowledged: list[int] = []

    async def acknowledge() -> None:
        acknowledged.append(1)

    async def main() -> None:
        runs = make_runs()
        runs.__class__ = BrokenRuns
        completion = Completion(None, lambda _: None)  # type: ignore[arg-type]  # nothing is published
        pipeline = Pipeline(runs, None, completion, None, WHERE, FailureNote(tmp_path), 1.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for sequence in (1, 2, 1):
            one = StoredFrame(stored(sequence).frame, None)
            await pipeline.take(Delivery(sequence, b"", None, one, acknowledge, count=sequence))
        with pytest.raises(ExceptionGroup) as caught:
            await finishing
        assert [repr(one) for one in caught.value.exceptions] == ["IndexError('a bug of ours')"]

    asyncio.run(main())
    assert acknowledged == []
    assert FailureNote(tmp_path).names("stream", 1)


def test_the_frame_that_it_failed_on_before_is_a_dead_letter_and_the_next_one_is_tracked(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame], tmp_path: Path
):
    window = Window()
    acknowledged: list[int] = []
    FailureNote(tmp_path).write("stream", 5)

    async def main() -> None:
        completion = Completion(window, lambda _: None)  # type: ignore[arg-type]
        pipeline = Pipeline(make_runs(), window, completion, None, WHERE, FailureNote(tmp_path), 9.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for count, sequence in enumerate((5, 6), 1):
            one = StoredFrame(stored(sequence).frame, None)

            async def acknowledge(sequence: int = sequence) -> None:
                acknowledged.append(sequence)

            await pipeline.take(Delivery(sequence, b"", None, one, acknowledge, count=count))
        await completion.drained()
        finishing.cancel()

    asyncio.run(main())
    subject, headers = window.stored[0]
    assert subject == "qiki.dlq.v1.qiki.radar.v1.frames"
    assert headers["x-qiki-origin-seq"] == "5"
    assert headers["x-qiki-reason"].startswith("the tracker failed on it")
    assert [subject for subject, _ in window.stored[1:]].count("qiki.tracker.v1.frames") == 1
    assert acknowledged == [5, 6]


def test_a_runs_dead_letter_is_announced_once_in_its_turn_and_no_frame_twice(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame], tmp_path: Path
):
    """Of the frames 0, 1 and 2 the middle one cannot be read; 0 comes again, and cannot be read then."""
    window = Window()
    frames = [stored(number) for number in range(3)]
    headers = [
        one.origin.headers(RadarRangeBand.RR_UNSPECIFIED, f"2026-01-01T00:00:00.{number}00000Z")
        for number, one in enumerate(frames)
        if one.origin
    ]

    async def acknowledge() -> None:
        pass

    async def main() -> None:
        completion = Completion(window, lambda _: None)  # type: ignore[arg-type]
        pipeline = Pipeline(make_runs(), window, completion, None, WHERE, FailureNote(tmp_path), 9.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for sequence, (number, broken) in enumerate([(0, False), (1, True), (0, True), (2, False)], 1):
            one = Poison("broken", frames[number].origin) if broken else frames[number]
            await pipeline.take(Delivery(sequence, b"", headers[number], one, acknowledge, count=sequence))
        await completion.drained()
        finishing.cancel()

    asyncio.run(main())
    told = [headers for subject, headers in window.stored if subject == "qiki.tracker.v1.frames"]
    said = [(one["x-qiki-frame"], one["x-qiki-seq"], one.get("x-qiki-reason")) for one in told]
    assert said == [("0", "1", None), ("1", "2", "broken"), ("2", "4", None)]


def test_a_frame_of_an_impossible_radar_is_a_dead_letter_and_the_next_one_is_tracked(
    make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame], tmp_path: Path
):
    window, runs = Window(), make_runs()
    told = {RADAR: RadarParameters(range_floor_m=20.0).figures.text()}

    async def acknowledge() -> None:
        pass

    async def main() -> None:
        completion = Completion(window, lambda _: None)  # type: ignore[arg-type]
        pipeline = Pipeline(runs, window, completion, None, WHERE, FailureNote(tmp_path), 9.0)  # type: ignore[arg-type]
        finishing = asyncio.create_task(completion.run())
        for sequence, headers in enumerate(({RADAR: "range_floor_m=-1"}, told), 1):
            body = stored(sequence).frame.to_json()
            content = read_content(body, headers)
            await pipeline.take(Delivery(sequence, body, headers, content, acknowledge, count=sequence))
        await completion.drained()
        finishing.cancel()

    asyncio.run(main())
    letters = [headers["x-qiki-reason"] for subject, headers in window.stored if subject.startswith("qiki.dlq.v1.")]
    assert len(letters) == 1
    assert "x-qiki-radar: max_range_m" in unquote(letters[0])
    assert [one["radar"]["range_floor_m"] for one in runs.snapshot()] == [20.0]
