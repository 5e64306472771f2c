"""The guard: rules judged on tracks, in event time alone.

A rule raises one alert for a track when its condition has held for its minimum duration, and no other before the
condition has ended and the cooldown is over. While it holds, the range is wider by the hysteresis, so that a contact
at the edge does not chatter. The end is reported too: the condition no longer holds, or the track is lost. A condition
that holds again within the cooldown is reported as resumed; when it outlasts the cooldown it raises an alert.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.radar import GuardAlert
from qiki.guard.rules import GuardRule, GuardRules
from qiki.tracking import TrackReports
from qiki.tracking.scan import SECOND_US

LOST = int(RadarTrackStatus.LOST)  # plain: numpy takes members of an enumeration four times as slowly
REPORTED = ("range_m", "quality", "iff", "transponder_on", "transponder_mode")
"""Columns of a track's report that its alert repeats."""


@dataclass(frozen=True, slots=True)
class Episode:
    """State of one rule and track."""

    since_us: int | None = None  # time at which the condition began to hold, None while it does not
    announced: bool = False  # an alert was raised since then
    alerted_us: int | None = None  # time of the last alert
    resumed: bool = False  # the condition was reported as resumed since then

    @property
    def reported(self) -> bool:
        """True if its end must be reported."""
        return self.announced or self.resumed

    def outcome(self, rule: GuardRule, t_us: int) -> Literal["alert", "resumed"] | None:
        """Return the event to report of a condition that holds now."""
        since_us = t_us if self.since_us is None else self.since_us
        if self.announced or t_us - since_us < rule.min_duration_s * SECOND_US:
            return None
        if self.alerted_us is None or t_us - self.alerted_us >= rule.cooldown_s * SECOND_US:
            return "alert"
        return None if self.resumed else "resumed"


@dataclass(frozen=True, slots=True)
class Ended:
    """A reported condition that no longer holds."""

    rule_id: str
    track_id: str
    fsm_event: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Results of one frame, in the order of the rules."""

    alerts: list[GuardAlert] = field(default_factory=list)
    resumed: list[GuardAlert] = field(default_factory=list)  # ended, and hold again within the cooldown
    ended: list[Ended] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of events of the frame."""
        return len(self.alerts) + len(self.resumed) + len(self.ended)

    def without(self, tracks: Collection[str]) -> "Judgement":
        """Return the results about other tracks than these, by their ids."""
        alerts, resumed = (
            [one for one in each if str(one.track_id) not in tracks] for each in (self.alerts, self.resumed)
        )
        return Judgement(alerts, resumed, [one for one in self.ended if one.track_id not in tracks])


class GuardJudge:
    """Judge of the tracks of one run, with an episode for each rule and track whose condition holds or held lately."""

    def __init__(self, rules: GuardRules) -> None:
        self._rules = rules.rules
        self._episodes: dict[str, dict[str, Episode]] = {rule.id: {} for rule in self._rules}

    def judge(self, reports: TrackReports) -> Judgement:
        """Return the alerts that these reports raise, resume and end."""
        judgement = Judgement()
        for rule in self._rules:
            self._apply(rule, reports, judgement)
        for row in np.flatnonzero(reports.status == LOST).tolist():
            for episodes in self._episodes.values():
                episodes.pop(reports.track_id[row], None)
        return judgement

    @property
    def alarming(self) -> set[str]:
        """The ids of the tracks that meet a rule, and were reported."""
        episodes = (one for each in self._episodes.values() for one in each.items())
        return {track for track, episode in episodes if episode.reported}

    def snapshot(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            rule: {track: asdict(episode) for track, episode in episodes.items()}
            for rule, episodes in self._episodes.items()
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any], rules: GuardRules) -> Self:
        """Return a judge that continues from `snapshot`; episodes of rules that no longer exist are dropped."""
        judge = cls(rules)
        for rule, episodes in judge._episodes.items():
            episodes.update({track: Episode(**episode) for track, episode in snapshot.get(rule, {}).items()})
        return judge

    def _apply(self, rule: GuardRule, reports: TrackReports, judgement: Judgement) -> None:
        episodes, t_us = self._episodes[rule.id], reports.t_us
        reported = [track for track, episode in episodes.items() if episode.reported]
        for row in self._holding(rule, reports):
            track = reports.track_id[row]
            episode = episodes.get(track, Episode())
            if episode.since_us is None:
                episode = replace(episode, since_us=t_us)
            match episode.outcome(rule, t_us):
                case "alert":
                    judgement.alerts.append(_alert(rule, reports, row))
                    episode = replace(episode, announced=True, alerted_us=t_us)
                case "resumed":
                    judgement.resumed.append(_alert(rule, reports, row))
                    episode = replace(episode, resumed=True)
            episodes[track] = episode
        judgement.ended.extend(
            Ended(rule.id, track, rule.fsm_event) for track in reported if not episodes[track].reported
        )

    def _holding(self, rule: GuardRule, reports: TrackReports) -> list[int]:
        """Return the rows where the condition holds, and end the episodes of the other tracks."""
        episodes = self._episodes[rule.id]
        holds = rule.covers(reports.range_m, 0.0)
        if not episodes and not holds.any():  # the usual frame: no track is near
            return []
        met = rule.matches(reports)
        holds &= met
        if not episodes:
            return np.flatnonzero(holds).tolist()
        begun = {track for track, episode in episodes.items() if episode.since_us is not None}
        held_before = np.array([track in begun for track in reports.track_id], dtype=np.bool_)
        holds |= met & held_before & rule.covers(reports.range_m, rule.hysteresis_m)
        rows: list[int] = np.flatnonzero(holds).tolist()
        for track in begun - {reports.track_id[row] for row in rows}:
            episodes[track] = Episode(alerted_us=episodes[track].alerted_us)
        return rows


def _alert(rule: GuardRule, reports: TrackReports, row: int) -> GuardAlert:
    track_id, values = reports.track_id[row], {name: getattr(reports, name)[row].item() for name in REPORTED}
    values |= {"subject": rule.id, "rule_id": rule.id, "fsm_event": rule.fsm_event, "severity": rule.severity}
    values |= {"id": track_id, "track_id": track_id, "ts_epoch": reports.t_us / SECOND_US}
    return GuardAlert.model_validate(values | {"message": f"{rule.description}: {values['range_m']:.0f} m"})
