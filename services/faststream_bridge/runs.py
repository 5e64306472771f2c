"""The trackers, one for each run, and the last frame of each.

A frame without a run's headers comes from another radar: its sensor is a run of its own, ordered by time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import structlog

from faststream_bridge.frames import PoisonError, StoredFrame
from qiki.contracts.headers import FrameOrigin
from qiki.guard.rules import GuardRules
from qiki.guard.tracked_run import Tracked, TrackedRun
from qiki.tracking import TrackerError, TrackerParameters, scan_from_frame
from qiki.tracking.scan import EPOCH, MICROSECOND

MAX_RUNS = 256
MAX_TRACKS = 32_000
"""Of all runs together, some 2 kB each; beyond it those that are idle longest are forgotten."""
IDLE_FRAMES = 100_000
"""A run is over after so many frames of others. They are the clock, for those of the sources may disagree."""
log = structlog.get_logger()
AT_REST = (0.0, 0.0, 0.0)


@dataclass
class _Entry:
    run: TrackedRun
    last: int = -1
    seen: int = 0


class Runs:
    """Trackers by run; a frame steps that of its run. A frame's radar figures replace the parameters'.

    With `estimates` a tracked frame has the whole states of its tracks too.
    """

    def __init__(self, parameters: TrackerParameters, rules: GuardRules, *, estimates: bool = True) -> None:
        self._parameters = parameters
        self._rules = rules
        self._estimates = estimates
        self._runs: dict[str, _Entry] = {}
        self._frames = 0

    def step(self, stored: StoredFrame) -> Tracked | None:
        """Track one frame, None for one not newer than the last of its run; PoisonError if the tracker refuses it."""
        frame, origin = stored.frame, stored.origin
        entry = self._runs.get(origin.run if origin else str(frame.sensor_id))
        # A radar that numbers nothing: its bot is at rest.
        own = origin or FrameOrigin(str(frame.sensor_id), entry.last + 1 if entry else 0, AT_REST, AT_REST)
        if entry is not None and _is_old(entry, stored):
            return None
        try:
            scan = scan_from_frame(frame, own.own_position, own.own_velocity)
            run_id = UUID(own.run)
        except (TrackerError, ValueError) as error:
            raise PoisonError(str(error)) from None
        if entry is None:  # a run that begins in its middle names other tracks
            namespace = uuid5(run_id, f"from:{own.frame}") if own.frame else run_id
            entry = _Entry(TrackedRun(namespace, self._parameters, self._rules, own.identities, stored.radar))
        try:
            reports, judgement, spoofers = entry.run.step(scan)
        except TrackerError as error:  # anything else is a bug, after which the tracks may be spoilt
            raise PoisonError(str(error)) from None
        self._frames += 1
        entry.last, entry.seen = own.frame, self._frames
        self._runs.pop(own.run, None)
        self._runs[own.run] = entry  # the one that is idle longest stands first
        self._forget_idle()
        key = str(own.frame) if origin else str(frame.frame_id)
        estimates = entry.run.estimates(scan) if self._estimates else None
        return Tracked(own.run, key, own.frame, frame.frame_id, reports, judgement, spoofers, estimates)

    def is_new(self, origin: FrameOrigin) -> bool:
        """Return whether a frame is newer than the last of its run."""
        run = self._runs.get(origin.run)
        return run is None or origin.frame > run.last

    def snapshot(self) -> list[dict[str, Any]]:
        """Return the whole state, as JSON values."""
        return [
            {"run": name, "last": entry.last, "seen": entry.seen, **entry.run.snapshot()}
            for name, entry in self._runs.items()
        ]

    def restore(self, snapshot: Iterable[Mapping[str, Any]]) -> None:
        """Continue exactly where `snapshot` was taken; raise TrackerError if it is broken or of another version."""
        self._runs = {
            one["run"]: _Entry(TrackedRun.restore(one, self._parameters, self._rules), one["last"], one.get("seen", 0))
            for one in snapshot
        }
        self._frames = max((entry.seen for entry in self._runs.values()), default=0)

    def _forget_idle(self) -> None:
        """Bound the memory; the run of the newest frame, which stands last, always stays."""
        tracks = sum(len(entry.run.tracker) for entry in self._runs.values())
        while len(self._runs) > 1:
            name, entry = next(iter(self._runs.items()))
            reason = self._too_much(entry, tracks)
            if reason is None:
                return
            log.warning("run forgotten", run=name, reason=reason, last_frame=entry.last, tracks=len(entry.run.tracker))
            tracks -= len(entry.run.tracker)
            del self._runs[name]

    def _too_much(self, idlest: _Entry, tracks: int) -> str | None:
        if self._frames - idlest.seen > IDLE_FRAMES:
            return f"no frame of it among the last {IDLE_FRAMES}"
        if len(self._runs) > MAX_RUNS:
            return f"more than {MAX_RUNS} runs"
        return f"{tracks} tracks in all runs (expected at most {MAX_TRACKS})" if tracks > MAX_TRACKS else None


def _is_old(entry: _Entry, stored: StoredFrame) -> bool:
    if stored.origin is not None:
        return stored.origin.frame <= entry.last
    t_us = entry.run.tracker.t_us
    return t_us is not None and (stored.frame.timestamp - EPOCH) // MICROSECOND <= t_us
