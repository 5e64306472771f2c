"""The way of a frame through the bridge without a bus: processor time of each stage, from bytes to bytes."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from traffic import frames, union

from faststream_bridge.frames import StoredFrame, read_frame
from faststream_bridge.runs import Runs
from qiki.clock import rfc3339
from qiki.contracts.headers import FrameOrigin, Message, on_the_wire
from qiki.contracts.radar_figures import RadarFigures
from qiki.guard import load_rules
from qiki.guard.messages import (
    encoded_track_messages,
    estimates_messages,
    guard_messages,
    spoofer_messages,
    tracked_message,
)
from qiki.runtime.clock import now
from qiki.tracking import TrackerParameters, scan_from_frame

SETTLED = 30  # frames, until every contact has a track


def stages(detections: int, count: int) -> dict[str, float]:
    """Median of each stage [ms], in the order of the stages; `scan` is a part of `step`."""
    runs = Runs(TrackerParameters(), load_rules())
    spent: dict[str, list[float]] = defaultdict(list)

    def timed(stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.thread_time()
        result = work(*arguments)
        spent[stage].append(1e3 * (time.thread_time() - begin))
        return result

    for message in map(union, frames(detections, count)):
        origin = timed("headers", FrameOrigin.read, message.headers)
        frame = timed("body", read_frame, message.body)
        timed("scan", scan_from_frame, frame, origin.own_position, origin.own_velocity)
        tracked = timed("step", runs.step, StoredFrame(frame, origin, RadarFigures.read(message.headers)))
        timed("tracks", lambda tracked=tracked: encoded_track_messages(tracked, rfc3339(now())))
        timed("estimates", lambda tracked=tracked: [on_the_wire(one) for one in estimates_messages(tracked)])
        timed("notice", lambda tracked=tracked: [on_the_wire(one) for one in _others(tracked)])
    return {stage: statistics.median(times[SETTLED:]) for stage, times in spent.items()}


def _others(tracked: Any) -> list[Message]:
    return [*guard_messages(tracked), *spoofer_messages(tracked), tracked_message(tracked, 1)]


def main(sizes: dict[int, int]) -> None:
    """Print a line for each size: detections to frames."""
    for detections, count in sizes.items():
        found = stages(detections, count)
        whole = sum(found.values()) - found["scan"]
        parts = ", ".join(f"{stage} {time_ms:.3f}" for stage, time_ms in found.items())
        print(f"bridge without a bus, {detections:3} detections: {parts}; together {whole:.2f} ms", flush=True)
