"""Frames of the simulator's radar, as the stream keeps them."""

import time
from collections.abc import Callable

from qiki.contracts.headers import RUN
from qiki.contracts.models import RadarFrame, TelemetrySnapshot
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.twin import Record, Twin
from qiki_harness.twin.checks import check_frames
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

    begin = first_frame(twin, moment, complaint)
    run, first, last = begin.run, begin.frame, begin.frame + FRAMES - 1
    until(
        twin,
        lambda: all(twin.history(topic, run=run, frame=last) for topic in FRAMES_BY_BAND.values()),
        _PATIENCE_S,
        complaint,
    )
    check_frames(twin, run, last, first, threshold_m=None)
    frames = twin.frames(run=run, after=moment)[:FRAMES]
    rate_hz = (FRAMES - 1) / (frames[-1].came_s - frames[0].came_s)
    plots = sum(len(frame.data.detections) for frame in frames)
    return f"frames {first} to {last} on 3 subjects, {rate_hz:.1f} Hz, {plots} detections in them"


def first_frame(twin: Twin, moment: Moment, complaint: str | Callable[[], str]) -> Record[RadarFrame]:
    """Wait for the simulator's next frame; other radars' do not count.

    Raises:
        CheckFailedError: none came; the text says why, as far as telemetry says so.
    """
    began_s = time.monotonic()

    def look() -> Record[RadarFrame] | None:
        telemetry = twin.telemetry(after=moment)
        if time.monotonic() - began_s > _SILENT_S and telemetry and (reason := why_none(telemetry[-1].data)):
            raise CheckFailedError(f"no frames: {reason}")
        return next((frame for frame in twin.frames(after=moment) if RUN in frame.headers), None)

    return until(twin, look, _PATIENCE_S, complaint)


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
