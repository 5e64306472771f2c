"""Frames of the simulator's radar, as the stream keeps them."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import RUN
from qiki.contracts.models import RadarFrame, TelemetrySnapshot
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.twin import Record, Twin, UnreadableError

FRAMES = 10
_PATIENCE_S = 10.0
_SILENT_S = 2.0

Series = Sequence[Record[RadarFrame]]
Place = tuple[str, int]
"""Run and number of a frame."""


def radar(twin: Twin) -> str:
    """Check so many frames, each on all three subjects, in the order of their numbers."""
    whole, *bands = _frames(twin)
    for one in (whole, *bands):
        check_order([place(frame) for frame in one])
    plots = [_plots(*together) for together in zip(whole, *bands, strict=True)]
    rate_hz = (FRAMES - 1) / (whole[-1].came_s - whole[0].came_s)
    (_, first), (_, last) = place(whole[0]), place(whole[-1])
    return f"frames {first} to {last} on 3 subjects, {rate_hz:.1f} Hz, {sum(plots)} detections in them"


def _frames(twin: Twin) -> list[Series]:
    """Wait for the first frames on each subject, from the first whole one on."""
    moment, began_s = twin.now(), time.monotonic()

    def came() -> list[Series]:
        return [of_simulator(twin.frames(band=band, after=moment)) for band in FRAMES_BY_BAND]

    def look() -> list[Series] | None:
        series = came()
        newest_s = max((one[-1].came_s for one in series if one), default=began_s)
        if time.monotonic() - newest_s > _SILENT_S:
            _raise_known(twin.telemetry(after=moment))
        return complete(series)

    def complaint() -> str:
        counts = (f"{len(one)} on {topic.subject}" for one, topic in zip(came(), FRAMES_BY_BAND.values(), strict=True))
        return f"expected {FRAMES} frames on each subject within {_PATIENCE_S:g} s, came: {', '.join(counts)}"

    return until(twin, look, _PATIENCE_S, complaint)


def _raise_known(telemetry: Sequence[Record[TelemetrySnapshot]]) -> None:
    """Raise CheckFailedError if the newest telemetry says why there are no frames."""
    if telemetry and (reason := why_none(telemetry[-1].data)):
        raise CheckFailedError(f"no frames: {reason}")


def complete(series: Sequence[Series]) -> list[Series] | None:
    """Return so many frames on each subject, beginning with the same one; None while there are not so many."""
    if not series[0]:
        return None
    begin = place(series[0][0])
    found = []
    for frames in series:
        first = next((index for index, frame in enumerate(frames) if place(frame) == begin), len(frames))
        found.append(frames[first : first + FRAMES])
    return found if all(len(frames) == FRAMES for frames in found) else None


def of_simulator(frames: Series) -> Series:
    """Return the simulator's frames; other radars' are left out."""
    return [frame for frame in frames if RUN in frame.headers]


def place(record: Record[Any]) -> Place:
    """Return run and number of a frame, or of what comes of it."""
    number = record.frame
    return record.run, number


def check_order(places: Sequence[Place]) -> None:
    """Check that numbers ascend by one, and that a new run begins at 0.

    Raises:
        CheckFailedError: they do not.
    """
    for (run, number), (next_run, next_number) in pairwise(places):
        expected = number + 1 if next_run == run else 0
        if next_number != expected:
            raise CheckFailedError(f"frame {number} of run {run} is followed by {next_number}, expected {expected}")


def why_none(telemetry: TelemetrySnapshot) -> str | None:
    """Return why there can be no frames, as far as telemetry says so."""
    state = telemetry.sim_state
    if state.paused:
        return "the simulation is paused (sim.start resumes it)"
    if not state.running:
        return "the simulation is stopped (sim.start starts it)"
    if "radar" in telemetry.power.shed_loads:
        return "the radar is shed: the vehicle has no power for it"
    if not telemetry.sensors.get("radar", {}).get("ok", True):
        return "the radar has failed"
    return None


def _plots(whole: Record[RadarFrame], long: Record[RadarFrame], short: Record[RadarFrame]) -> int:
    """Return how many detections a frame holds: those of the two bands, each on its own subject."""
    frame, far, near = whole.data, long.data, short.data
    for record, one, band in ((long, far, RadarRangeBand.RR_LR), (short, near, RadarRangeBand.RR_SR)):
        if {plot.range_band for plot in one.detections} - {band}:
            raise UnreadableError(record, f"frame {one.frame_id} holds detections of another range band")
    if len(frame.detections) != len(far.detections) + len(near.detections):
        raise UnreadableError(whole, f"frame {frame.frame_id} holds other detections than its two bands")
    return len(frame.detections)
