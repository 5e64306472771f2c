"""The trackers, one for each run, and the last frame of each.

A frame without a run's headers comes from another radar: its sensor is a run of its own, ordered by time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from faststream_bridge.frames import PoisonError, StoredFrame
from faststream_bridge.progress import Place, Trial, check_pace, jumps
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
FALSE_JUMPS = Counter("qiki_bridge_false_jumps_total", "Runs taken back behind frames that were not theirs")
log = structlog.get_logger()
AT_REST = (0.0, 0.0, 0.0)


@dataclass
class _Entry:
    run: TrackedRun
    last: int = -1
    seen: int = 0
    stored: datetime | None = None
    trial: Trial | None = None

    @property
    def place(self) -> Place | None:
        """The last frame."""
        t_us = self.run.tracker.t_us
        return None if t_us is None else Place(self.last, t_us, self.stored)


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

    def step(self, stored: StoredFrame, at: datetime | None = None) -> Tracked | None:
        """Track one frame, which the broker stored at a time; None for one not newer than the last of its run.

        Raises:
            PoisonError: the tracker refuses it. A JumpError: it is too far ahead of its run.
        """
        frame, origin = stored.frame, stored.origin
        name = origin.run if origin else str(frame.sensor_id)
        t_us = (frame.timestamp - EPOCH) // MICROSECOND
        entry = self._taken_back(name, stored, t_us)
        # A radar that numbers nothing: its bot is at rest.
        own = origin or FrameOrigin(str(frame.sensor_id), entry.last + 1 if entry else 0, AT_REST, AT_REST)
        if entry is not None and _is_old(entry, stored, t_us):
            return None
        place, before = Place(own.frame, t_us, at), entry.place if entry else None
        if before is not None:
            check_pace(before, place, numbered=origin is not None)
        try:
            scan = scan_from_frame(frame, own.own_position, own.own_velocity)
            run_id = UUID(own.run)
        except (TrackerError, ValueError) as error:
            raise PoisonError(str(error)) from None
        if entry is None:  # a run that begins in its middle names other tracks
            namespace = uuid5(run_id, f"from:{own.frame}") if own.frame else run_id
            entry = _Entry(TrackedRun(namespace, self._parameters, self._rules, own.identities, stored.radar))
        if origin is not None:
            entry.run.know(origin.identities)
        trial = entry.trial or _trial_of(entry, place, numbered=origin is not None)
        try:
            reports, judgement, spoofers = entry.run.step(scan)
        except TrackerError as error:  # anything else is a bug, after which the tracks may be spoilt
            raise PoisonError(str(error)) from None
        self._frames += 1
        entry.last, entry.seen, entry.stored = own.frame, self._frames, at
        if trial is not None:
            jumped = before is None or jumps(before, place, numbered=origin is not None)
            trial.take(t_us, jumped=jumped)
            entry.trial = None if trial.is_over else trial
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
            {
                "run": name,
                "last": entry.last,
                "seen": entry.seen,
                "stored": entry.stored and entry.stored.isoformat(),
                "trial": entry.trial and entry.trial.snapshot(),
                **entry.run.snapshot(),
            }
            for name, entry in self._runs.items()
        ]

    def restore(self, snapshot: Iterable[Mapping[str, Any]]) -> None:
        """Continue exactly where `snapshot` was taken; raise TrackerError if it is broken or of another version."""
        self._runs = {one["run"]: self._restored(one) for one in snapshot}
        self._frames = max((entry.seen for entry in self._runs.values()), default=0)

    def _restored(self, one: Mapping[str, Any]) -> _Entry:
        run = TrackedRun.restore(one, self._parameters, self._rules)
        stored, trial = one.get("stored"), Trial.restore(one.get("trial"))
        return _Entry(run, one["last"], one.get("seen", 0), stored and datetime.fromisoformat(stored), trial)

    def _taken_back(self, name: str, stored: StoredFrame, t_us: int) -> _Entry | None:
        """Return a frame's run; if the frame shows that the run's last jump was false, as it was before that."""
        entry, numbered = self._runs.get(name), stored.origin is not None
        place = Place(stored.origin.frame if stored.origin else 0, t_us)
        if entry is None or entry.trial is None or not entry.trial.holds(place, numbered=numbered):
            return entry
        trial = entry.trial
        trial.behind += 1
        if not trial.is_false:
            return entry
        FALSE_JUMPS.inc()
        log.error("frames were not the run's, it is taken back behind them", run=name, last=entry.last, to=trial.last)
        if trial.before is None:
            del self._runs[name]
            return None
        run = TrackedRun.restore(trial.before, self._parameters, self._rules)
        self._runs[name] = taken_back = _Entry(run, trial.last, entry.seen)
        return taken_back

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


def _is_old(entry: _Entry, stored: StoredFrame, t_us: int) -> bool:
    if entry.trial is not None and entry.trial.behind and t_us < entry.trial.since_us:
        return True  # its number may be new, its time is not
    if stored.origin is not None:
        return stored.origin.frame <= entry.last
    last_us = entry.run.tracker.t_us
    return last_us is not None and t_us <= last_us


def _trial_of(entry: _Entry, place: Place, *, numbered: bool) -> Trial | None:
    """Return the trial that begins with a frame; None where it follows the one before."""
    before = entry.place
    if before is None:
        return Trial(None, -1, None, place.t_us) if place.number or not numbered else None
    if not jumps(before, place, numbered=numbered):
        return None
    return Trial(entry.run.snapshot(), before.number, before.t_us, place.t_us)
