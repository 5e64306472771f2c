"""The guard: rules as data, judged on tracks, in event time alone.

A rule speaks once for a track when its condition has held for its minimum duration, and not again before the
condition has ended and the cooldown is over. While it holds, the range is wider by the hysteresis, so that a
contact on the edge does not chatter. What was spoken of is told once more when it has ended: the condition no longer
holds, or the track is gone. A condition that ended and begins anew within the cooldown is no alert yet, but is told
as resumed, so that nobody who heard its end takes the track for harmless; when it outlasts the cooldown it speaks.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from qiki.arrays import Array, Mask
from qiki.contracts.enums import FriendFoe, RadarTrackStatus, TransponderMode
from qiki.contracts.models import GuardAlert
from qiki.tracking import TrackReports
from qiki.tracking.scan import SECOND_US

TRACKED, COASTING = int(RadarTrackStatus.TRACKED), int(RadarTrackStatus.COASTING)

Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Word = Annotated[str, Field(min_length=1)]


def _named(kind: type[IntEnum]) -> BeforeValidator:
    """People write an enumeration's names, the wire its numbers: this reads names only."""

    def read(value: object) -> object:
        if isinstance(value, kind):
            return value
        if isinstance(value, bool):  # what YAML 1.1 makes of a bare ON or OFF
            value = "ON" if value else "OFF"
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise ValueError(f"expected one of {', '.join(kind.__members__)}")

    return BeforeValidator(read)


Side = Annotated[FriendFoe, _named(FriendFoe)]
Mode = Annotated[TransponderMode, _named(TransponderMode)]


class GuardRule(BaseModel):
    """When a track is an alert; a condition that is not given does not matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Word
    description: Word
    severity: Literal["info", "warning", "critical"]
    fsm_event: Word
    iff: Side | None = None
    transponder_on: bool | None = None
    transponder_modes: tuple[Mode, ...] | None = None
    min_range_m: Metres = 0.0
    max_range_m: Metres
    min_quality: Annotated[float, Field(ge=0, le=1)] = 0.0
    hysteresis_m: Metres = 0.0
    min_duration_s: Seconds = 0.0
    cooldown_s: Seconds = 60.0

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.min_range_m > self.max_range_m:
            raise ValueError(f"min_range_m {self.min_range_m:g} is beyond max_range_m {self.max_range_m:g}")
        return self

    def matches(self, reports: TrackReports) -> Mask:
        """Tracks that meet everything but the range: (n,)."""
        met: Mask = (reports.status == TRACKED) | (reports.status == COASTING)
        met &= reports.quality >= self.min_quality
        if self.iff is not None:
            met &= reports.iff == self.iff
        if self.transponder_on is not None:
            met &= reports.transponder_on == self.transponder_on
        if self.transponder_modes is not None:
            met &= np.isin(reports.transponder_mode, self.transponder_modes)
        return met

    def covers(self, range_m: Array, margin_m: float) -> Mask:
        """Ranges within the rule's, widened by a margin: (n,)."""
        return (range_m >= self.min_range_m - margin_m) & (range_m <= self.max_range_m + margin_m)


class GuardRules(BaseModel):
    """A file of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[GuardRule, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"rule {twice} is there twice")
        return self


@dataclass(frozen=True, slots=True)
class Episode:
    """What the guard remembers of one rule and track.

    Attributes:
        since_us: when the condition began to hold, None while it does not
        announced: whether an alert was raised since then
        alerted_us: when the last alert was raised
        resumed: whether it was told since then that an alert's condition holds again
    """

    since_us: int | None = None
    announced: bool = False
    alerted_us: int | None = None
    resumed: bool = False

    @property
    def told(self) -> bool:
        """Whether somebody waits to hear of its end."""
        return self.announced or self.resumed


class Says(Enum):
    """What a rule has to say of a track whose condition holds."""

    NOTHING = "nothing"
    ALERT = "alert"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Ended:
    """A rule that spoke of a track, and whose condition no longer holds."""

    rule_id: str
    track_id: str
    fsm_event: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a frame gives, in the order of the rules.

    Attributes:
        resumed: what ended within the cooldown and holds again, as an alert would tell it
    """

    alerts: list[GuardAlert] = field(default_factory=list)
    resumed: list[GuardAlert] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many events the frame gives."""
        return len(self.alerts) + len(self.resumed) + len(self.ended)


class GuardJudge:
    """Judges the tracks of one run, frame after frame."""

    def __init__(self, rules: GuardRules) -> None:
        self._rules = rules.rules
        self._episodes: dict[str, dict[str, Episode]] = {rule.id: {} for rule in self._rules}

    def judge(self, reports: TrackReports) -> Judgement:
        """Alerts that these reports raise, resume and end."""
        judgement = Judgement()
        said = {Says.ALERT: judgement.alerts, Says.RESUMED: judgement.resumed}
        for rule in self._rules:
            told = [track for track, episode in self._episodes[rule.id].items() if episode.told]
            for row in self._concerned(rule, reports):
                says = self._advance(rule, reports.track_id[row], reports.t_us)
                if says is not Says.NOTHING:
                    said[says].append(_alert(rule, reports, row))
            for track in told:
                if not self._episodes[rule.id][track].told:
                    judgement.ended.append(Ended(rule.id, track, rule.fsm_event))
        for row in np.flatnonzero(reports.status == RadarTrackStatus.LOST).tolist():
            for episodes in self._episodes.values():
                episodes.pop(reports.track_id[row], None)
        return judgement

    def snapshot(self) -> dict[str, Any]:
        """What it remembers, as JSON values."""
        return {
            rule: {track: asdict(episode) for track, episode in episodes.items()}
            for rule, episodes in self._episodes.items()
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], rules: GuardRules) -> Self:
        """A judge that goes on where `snapshot` was taken; memories of rules no longer there are dropped."""
        judge = cls(rules)
        for rule, episodes in judge._episodes.items():
            episodes.update({track: Episode(**episode) for track, episode in snapshot.get(rule, {}).items()})
        return judge

    def _concerned(self, rule: GuardRule, reports: TrackReports) -> list[int]:
        """Rows where the condition holds; episodes of the other tracks end."""
        episodes = self._episodes[rule.id]
        holds = rule.covers(reports.range_m, 0.0)
        if not episodes and not holds.any():  # the usual frame: nobody is near
            return []
        met = rule.matches(reports)
        holds &= met
        if not episodes:
            return np.flatnonzero(holds).tolist()
        holds |= met & self._begun(rule, reports) & rule.covers(reports.range_m, rule.hysteresis_m)
        rows: list[int] = np.flatnonzero(holds).tolist()
        held = {reports.track_id[row] for row in rows}
        for track, episode in episodes.items():
            if episode.since_us is not None and track not in held:
                episodes[track] = Episode(alerted_us=episode.alerted_us)
        return rows

    def _begun(self, rule: GuardRule, reports: TrackReports) -> Mask:
        """Tracks whose condition held in the frame before: (n,)."""
        begun = {track for track, episode in self._episodes[rule.id].items() if episode.since_us is not None}
        return np.array([track in begun for track in reports.track_id], dtype=np.bool_)

    def _advance(self, rule: GuardRule, track: str, t_us: int) -> Says:
        """Carry on an episode whose condition holds; what it says now."""
        episode = self._episodes[rule.id].get(track, Episode())
        if episode.since_us is None:
            episode = replace(episode, since_us=t_us)
        says = _says(rule, episode, t_us)
        if says is Says.ALERT:
            episode = replace(episode, announced=True, alerted_us=t_us)
        elif says is Says.RESUMED:
            episode = replace(episode, resumed=True)
        self._episodes[rule.id][track] = episode
        return says


def _says(rule: GuardRule, episode: Episode, t_us: int) -> Says:
    since_us = t_us if episode.since_us is None else episode.since_us
    if episode.announced or t_us - since_us < rule.min_duration_s * SECOND_US:
        return Says.NOTHING
    if episode.alerted_us is None or t_us - episode.alerted_us >= rule.cooldown_s * SECOND_US:
        return Says.ALERT
    return Says.NOTHING if episode.resumed else Says.RESUMED


def _alert(rule: GuardRule, reports: TrackReports, row: int) -> GuardAlert:
    range_m = float(reports.range_m[row])
    return GuardAlert.model_validate(
        {
            "subject": rule.id,
            "ts_epoch": reports.t_us / SECOND_US,
            "rule_id": rule.id,
            "id": reports.track_id[row],
            "track_id": reports.track_id[row],
            "fsm_event": rule.fsm_event,
            "severity": rule.severity,
            "message": f"{rule.description}: {range_m:.0f} m",
            "range_m": range_m,
            "quality": float(reports.quality[row]),
            "iff": int(reports.iff[row]),
            "transponder_on": bool(reports.transponder_on[row]),
            "transponder_mode": int(reports.transponder_mode[row]),
        }
    )
