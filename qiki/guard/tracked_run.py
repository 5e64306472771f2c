"""A run that is tracked and guarded: the tracker of its frames, and the judge of its tracks."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

import numpy as np

from qiki.arrays import Index
from qiki.contracts.enums import FriendFoe, TransponderMode
from qiki.contracts.radar_figures import RadarFigures
from qiki.guard.judge import GuardJudge, Judgement
from qiki.guard.rules import GuardRules
from qiki.tracking import Estimates, Scan, Tracker, TrackerParameters, TrackReports

SPOOF = int(TransponderMode.SPOOF)


@dataclass(frozen=True)
class Tracked:
    """Tracks and judgement of a frame.

    Attributes:
        estimates: of the tracks that are not lost, relative to the bot; None where nobody wants them
    """

    run: str
    key: str  # distinguishes the frame within its run, the same again when it is read again
    number: int  # of the frame in its run
    frame_id: UUID
    reports: TrackReports
    judgement: Judgement  # alerts that begin, resume and end with this frame
    spoofers: list[int]  # rows of the reports that are found spoofers for the first time
    estimates: Estimates | None = None

    def without(self, tracks: Collection[str]) -> "Tracked":
        """Return the same frame without these tracks, by their ids, and without all that is about them."""
        rows = _others(self.reports.track_id, tracks)
        estimates = self.estimates and self.estimates.take(_others(self.estimates.track_id, tracks))
        spoofers = [place for place, row in enumerate(rows.tolist()) if row in self.spoofers]
        reports, judgement = self.reports.take(rows), self.judgement.without(tracks)
        return replace(self, reports=reports, judgement=judgement, spoofers=spoofers, estimates=estimates)


class TrackedRun:
    """Tracker of one run, frame after frame, and judge of its tracks by the guard rules.

    `namespace` is that of the identities of tracks. A frame's radar figures replace the parameters'; None: the default
    radar. `identities` are the known transponder identities and their sides.
    """

    def __init__(
        self,
        namespace: UUID,
        parameters: TrackerParameters,
        rules: GuardRules,
        identities: Mapping[str, FriendFoe],
        radar: RadarFigures | None,
    ) -> None:
        self.identities, self.radar = identities, radar
        self._named = identities  # by the newest frame
        self.tracker = Tracker(namespace, parameters.of_radar(radar), identities)
        self._judge = GuardJudge(rules)
        self._spoofers: set[str] = set()

    def know(self, identities: Mapping[str, FriendFoe]) -> None:
        """Take the identities that a frame names: another future of a run may add some, and none changes its side."""
        if identities is not self._named and identities.keys() - self.identities.keys():
            self.identities = {**identities, **self.identities}
            self.tracker.know(self.identities)
        self._named = identities

    def step(self, scan: Scan) -> tuple[TrackReports, Judgement, list[int]]:
        """Track one scan; return reports, judgement, rows of new spoofers. A TrackerError leaves all as it was."""
        reports = self.tracker.step(scan)
        return reports, self._judge.judge(reports), self._new_spoofers(reports)

    def judge(self, reports: TrackReports) -> tuple[TrackReports, Judgement, list[int]]:
        """Judge reports that come from elsewhere than the tracker; return them, the judgement, and no spoofers."""
        return reports, self._judge.judge(reports), []

    @property
    def alarming(self) -> set[str]:
        """The ids of the tracks on which an alert holds."""
        return self._judge.alarming

    def estimates(self, scan: Scan) -> Estimates:
        """Return the whole states of the live tracks after a scan, the newest, relative to the bot's in it."""
        return self.tracker.estimates().seen_from(scan.own_position, scan.own_velocity)

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state, as JSON values."""
        return {
            "tracker": b64encode(self.tracker.snapshot()).decode(),
            "judge": self._judge.snapshot(),
            "spoofers": sorted(self._spoofers),
            "identities": {identity: int(side) for identity, side in self.identities.items()},
            "radar": self.radar and self.radar.model_dump(),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], parameters: TrackerParameters, rules: GuardRules) -> Self:
        """Continue exactly where `snapshot` was taken; raise TrackerError if it is broken or of another version."""
        identities = {identity: FriendFoe(side) for identity, side in snapshot["identities"].items()}
        figures = snapshot.get("radar")  # a run of an older version was tracked with the defaults, and continues so
        radar = None if figures is None else RadarFigures.model_validate(figures)
        tracker = Tracker.restore(b64decode(snapshot["tracker"]), parameters.of_radar(radar), identities)
        run = cls(tracker.run_id, parameters, rules, identities, radar)
        run.tracker = tracker
        run._judge = GuardJudge.restore(snapshot["judge"], rules)
        run._spoofers = set(snapshot["spoofers"])
        return run

    def _new_spoofers(self, reports: TrackReports) -> list[int]:
        rows: list[int] = np.flatnonzero(reports.transponder_mode == SPOOF).tolist()
        new = [row for row in rows if reports.track_id[row] not in self._spoofers]
        self._spoofers.update(reports.track_id[row] for row in new)
        return new


def _others(ids: Sequence[str], tracks: Collection[str]) -> Index:
    """Return the rows of the ids that are not among these tracks'."""
    return np.array([row for row, one in enumerate(ids) if one not in tracks], dtype=np.intp)
