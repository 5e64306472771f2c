"""Frames of the simulator's radar, as the stream keeps them, and the tracks that the bridge makes of them."""

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from qiki.contracts.headers import RUN
from qiki.contracts.radar import RadarFrame
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.twin import Record, Twin
from qiki_harness.twin.checks import check_frames, check_tracks
from qiki_harness.twin.watcher import Moment

FRAMES = 10
_PATIENCE_S = 10.0
_SILENT_S = 2.0


def radar(twin: Twin) -> str:
    """Check so many frames, each on all three subjects, in the order of their numbers."""
    moment = twin.now()

    def complaint() -> str:
        counts = (
            f"{sum(RUN in one.headers for one in twin.history(topic, after=moment))} on {topic.subject}"
            for topic in FRAMES_BY_BAND.values()
        )
        return f"expected {FRAMES} frames on each subject within {_PATIENCE_S:g} s, came: {', '.join(counts)}"

    def banded() -> bool:
        ends = [(topic, run, last) for topic in FRAMES_BY_BAND.values() for run, _, last in parts]
        return all(twin.history(topic, run=run, frame=last) for topic, run, last in ends)

    frames = next_frames(twin, moment, complaint)
    parts = parts_of_runs(frames)
    until(twin, banded, _PATIENCE_S, complaint)
    for run, first, last in parts:
        check_frames(twin, run, last, first, threshold_m=None)
    rate_hz = (FRAMES - 1) / (frames[-1].came_s - frames[0].came_s)
    plots = sum(len(frame.data.detections) for frame in frames)
    numbers = f"{frames[0].frame} to {frames[-1].frame}"
    return f"frames {numbers} on 3 subjects, {rate_hz:.1f} Hz, {plots} detections in them"


def tracks(twin: Twin) -> str:
    """Check so many frames, the TrackedFrame of each, and the tracks that belong to it."""
    few = f"fewer than {FRAMES} frames came within {_PATIENCE_S:g} s"
    frames = next_frames(twin, twin.now(), few)
    delays_ms = [1e3 * _delay_s(twin, frame) for frame in frames]
    for run, first, last in parts_of_runs(frames):
        check_tracks(twin, run, last, first)
    seen = check_seen(frames, sum(len(twin.tracks(run=frame.run, frame=frame.frame)) for frame in frames))
    return f"{FRAMES} frames with {seen}, all there {median(delays_ms):.0f} ms after the frame (median)"


def next_frames(
    twin: Twin, moment: Moment, complaint: str | Callable[[], str], count: int = FRAMES
) -> list[Record[RadarFrame]]:
    """Wait for the simulator's next frames; other radars' do not count. Telemetry may say why there are none."""
    began_s = time.monotonic()

    def look() -> list[Record[RadarFrame]] | None:
        frames = [frame for frame in twin.frames(after=moment) if RUN in frame.headers][:count]
        if len(frames) == count:
            return frames
        telemetry = twin.telemetry(after=moment)
        silent_s = time.monotonic() - (frames[-1].came_s if frames else began_s)
        if silent_s > _SILENT_S and telemetry and (reason := why_none(telemetry[-1].data)):
            raise CheckFailedError(f"no frames: {reason}")
        return None

    return until(twin, look, _PATIENCE_S, complaint)


def parts_of_runs(frames: Sequence[Record[Any]]) -> list[tuple[str, int, int]]:
    """Return the first and the last number of each run that frames are of: one that begins among them begins at 0."""
    parts: list[tuple[str, int, int]] = []
    for run, group in groupby(frames, key=lambda frame: frame.run):
        numbers = [frame.frame for frame in group]
        parts.append((run, 0 if parts else min(numbers), max(numbers)))
    return parts


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


def _delay_s(twin: Twin, frame: Record[RadarFrame]) -> float:
    """Wait for a frame's TrackedFrame and the tracks that it announces; return how long the former took."""
    run, number = frame.run, frame.frame
    untracked = f"frame {number} of run {run} is stored, but not tracked {_PATIENCE_S:g} s later"
    tracked, *_ = until(twin, lambda: twin.tracked_frames(run=run, frame=number), _PATIENCE_S, untracked)
    count = tracked.data.tracks
    few = f"{tracked.place}: says that frame {number} gave {count} tracks, but not so many are stored"
    until(twin, lambda: len(twin.tracks(run=run, frame=number)) >= count, _PATIENCE_S, few)
    return tracked.came_s - frame.came_s


def check_seen(frames: Sequence[Record[RadarFrame]], tracks: int) -> str:
    """Check that there are tracks where something is detected: a detection that belongs to none begins one."""
    detections = sum(len(frame.data.detections) for frame in frames)
    if detections and not tracks:
        raise CheckFailedError(f"{len(frames)} frames with {detections} detections gave no track")
    return f"{detections} detections gave {tracks} tracks"
