"""The trackers, one for each run, and what each has seen.

A frame without a run's headers comes from another radar: its sensor is a run of its own, ordered by time.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import structlog

from faststream_bridge.frames import PoisonError, StoredFrame
from qiki.contracts.enums import FriendFoe, TransponderMode
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.radar import GuardAlert
from qiki.contracts.radar_figures import RadarFigures
from qiki.guard.judge import Ended, GuardJudge, GuardRules
from qiki.tracking import Tracker, TrackerError, TrackerParameters, TrackReports, scan_from_frame
from qiki.tracking.scan import EPOCH, MICROSECOND

MAX_RUNS = 256
MAX_TRACKS = 32_000
"""Of all runs together, some 2 kB each; beyond it those that are idle longest are forgotten."""
IDLE_FRAMES = 100_000
"""A run is over after so many frames of others. They are the clock, for those of the sources may disagree."""
log = structlog.get_logger()
AT_REST = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Tracked:
    """What a frame gave.

    Attributes:
        key: distinguishes the frame within its run, the same again when it is read again
        resumed: alerts that had ended within the cooldown and hold again
        ended: alerts of earlier frames that hold no longer
        spoofers: rows of the reports that are found spoofers for the first time
    """

    run: str
    key: str
    number: int
    frame_id: UUID
    reports: TrackReports
    alerts: list[GuardAlert]
    resumed: list[GuardAlert]
    ended: list[Ended]
    spoofers: list[int]


@dataclass
class _Run:
    tracker: Tracker
    judge: GuardJudge
    identities: Mapping[str, FriendFoe]
    radar: RadarFigures | None
    last: int = -1
    seen: int = 0
    spoofers: set[str] = field(default_factory=set)


class Runs:
    """Steps the right tracker with each frame.

    Args:
        parameters: of every tracker, but for what a frame says of its radar
        rules: of every judge
    """

    def __init__(self, parameters: TrackerParameters, rules: GuardRules) -> None:
        self._parameters = parameters
        self._rules = rules
        self._runs: dict[str, _Run] = {}
        self._frames = 0

    def step(self, stored: StoredFrame) -> Tracked | None:
        """Track one frame; None for one at or before the last of its run, which is nothing new.

        Raises:
            PoisonError: the tracker cannot take it.
        """
        frame, origin = stored.frame, stored.origin
        own = origin or _sensor(stored, self._runs.get(str(frame.sensor_id)))
        run = self._runs.get(own.run)
        if run is not None and _is_old(run, stored):
            return None
        try:
            scan = scan_from_frame(frame, own.own_position, own.own_velocity)
            run_id = UUID(own.run)
        except (TrackerError, ValueError) as error:
            raise PoisonError(str(error)) from None
        run = run or self._begin(run_id, own, stored.radar)
        try:
            reports = run.tracker.step(scan)
        except TrackerError as error:  # anything else is a bug, after which the tracks may be spoilt
            raise PoisonError(str(error)) from None
        run.last = own.frame
        self._frames += 1
        run.seen = self._frames
        self._runs.pop(own.run, None)
        self._runs[own.run] = run  # the one that is idle longest stands first
        self._forget_idle()
        key = str(own.frame) if origin else str(frame.frame_id)
        judged, spoofers = run.judge.judge(reports), _found_out(run, reports)
        return Tracked(
            own.run, key, own.frame, frame.frame_id, reports, judged.alerts, judged.resumed, judged.ended, spoofers
        )

    def is_new(self, origin: FrameOrigin) -> bool:
        """Whether a frame is none of those that its run has seen."""
        run = self._runs.get(origin.run)
        return run is None or origin.frame > run.last

    def snapshot(self) -> list[dict[str, Any]]:
        """The whole state, as JSON values."""
        return [
            {
                "run": name,
                "last": run.last,
                "seen": run.seen,
                "spoofers": sorted(run.spoofers),
                "tracker": b64encode(run.tracker.snapshot()).decode(),
                "judge": run.judge.snapshot(),
                "identities": {identity: int(side) for identity, side in run.identities.items()},
                "radar": run.radar and run.radar.model_dump(),
            }
            for name, run in self._runs.items()
        ]

    def restore(self, snapshot: Iterable[Mapping[str, Any]]) -> None:
        """Go on exactly where `snapshot` was taken.

        Raises:
            TrackerError: another version's, or broken.
        """
        self._runs = {one["run"]: self._restored(one) for one in snapshot}
        self._frames = max((run.seen for run in self._runs.values()), default=0)

    def _restored(self, one: Mapping[str, Any]) -> _Run:
        identities = {identity: FriendFoe(side) for identity, side in one["identities"].items()}
        told = one.get("radar")  # a run of an older version was tracked with the defaults, and goes on so
        radar = None if told is None else RadarFigures.model_validate(told)
        tracker = Tracker.restore(b64decode(one["tracker"]), self._parameters.of_radar(radar), identities)
        judge = GuardJudge.restore(one["judge"], self._rules)
        return _Run(tracker, judge, identities, radar, one["last"], one.get("seen", 0), set(one["spoofers"]))

    def _begin(self, run_id: UUID, origin: FrameOrigin, radar: RadarFigures | None) -> _Run:
        """Start a run anew. One that begins in its middle must not name its tracks as the lost beginning did."""
        namespace = uuid5(run_id, f"from:{origin.frame}") if origin.frame else run_id
        tracker = Tracker(namespace, self._parameters.of_radar(radar), origin.identities)
        return _Run(tracker, GuardJudge(self._rules), origin.identities, radar)

    def _forget_idle(self) -> None:
        """Bound the memory; the run of the newest frame, which stands last, always stays."""
        tracks = sum(len(run.tracker) for run in self._runs.values())
        while len(self._runs) > 1:
            name, run = next(iter(self._runs.items()))
            reason = self._too_much(run, tracks)
            if reason is None:
                return
            log.warning("run forgotten", run=name, reason=reason, last_frame=run.last, tracks=len(run.tracker))
            tracks -= len(run.tracker)
            del self._runs[name]

    def _too_much(self, idlest: _Run, tracks: int) -> str | None:
        if self._frames - idlest.seen > IDLE_FRAMES:
            return f"no frame of it among the last {IDLE_FRAMES}"
        if len(self._runs) > MAX_RUNS:
            return f"more than {MAX_RUNS} runs"
        return f"{tracks} tracks in all runs (expected at most {MAX_TRACKS})" if tracks > MAX_TRACKS else None


def _found_out(run: _Run, reports: TrackReports) -> list[int]:
    """Rows of tracks that are spoofers and were not known as such."""
    rows: list[int] = np.flatnonzero(reports.transponder_mode == TransponderMode.SPOOF).tolist()
    new = [row for row in rows if reports.track_id[row] not in run.spoofers]
    run.spoofers.update(reports.track_id[row] for row in new)
    return new


def _sensor(stored: StoredFrame, run: _Run | None) -> FrameOrigin:
    """The next frame of a radar that numbers nothing: its bot is at rest."""
    return FrameOrigin(str(stored.frame.sensor_id), run.last + 1 if run else 0, AT_REST, AT_REST)


def _is_old(run: _Run, stored: StoredFrame) -> bool:
    if stored.origin is not None:
        return stored.origin.frame <= run.last
    t_us = run.tracker.t_us
    return t_us is not None and (stored.frame.timestamp - EPOCH) // MICROSECOND <= t_us
