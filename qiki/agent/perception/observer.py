"""The observer: messages in, the agent's world out.

A frame is shown once it is complete: its notice, its tracks and their estimates, and the guard's reports. Reports may
be older than the first frame: an alert counts when its track is in a complete frame.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from qiki.agent.perception.alerts import GuardBook, GuardReport
from qiki.agent.perception.frames import Assembly, Notice, Received, WholeFrame
from qiki.agent.perception.staleness import StalenessMonitor
from qiki.agent.world import TELEMETRY, TRACKS, ActiveAlert, Input, SeenEstimate, SeenTrack, World
from qiki.contracts import topics
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, BiosStatus, GuardCleared
from qiki.contracts.radar import GuardAlert, RadarTrack, TrackedFrame
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.state import State, Stateful

OTHER_RADAR_SILENT_S = 5.0
KEPT_RUNS = 32
KEPT_IN_ALL = 96_000
"""Tracks, estimates and guard reports of all runs that wait for the rest of their frames."""
PAST_RUNS = 64


@dataclass(slots=True)
class _RunPerception(Stateful):
    """The messages of one run, and when its newest frame was completed on the agent's clock."""

    STATE: ClassVar = State(frames=Assembly, guards=GuardBook, shown_s=float)

    frames: Assembly = field(default_factory=Assembly)
    guards: GuardBook = field(default_factory=GuardBook)
    shown_s: float = 0.0

    @property
    def weight(self) -> int:
        return self.frames.weight + self.guards.weight


class Observer(Stateful):
    """Assembles the agent's world from messages.

    All times `now_s` are seconds on the agent's clock. In lockstep, where that is simulated time, a message counts from
    its own time, so that ages do not depend on when it was read. Before the first tick, add all guard messages that
    are stored: an alert holds until its end is read.
    """

    STATE = State(
        _staleness=StalenessMonitor,
        _own=TelemetrySnapshot | None,
        _run_id=str,
        _runs=dict[str, _RunPerception],
        _past=deque[str],
    )

    def __init__(self, stale_min_s: float, lockstep: bool) -> None:
        self._lockstep = lockstep
        self._staleness = StalenessMonitor(stale_min_s, lockstep)
        self._own: TelemetrySnapshot | None = None
        self._run_id = ""
        self._runs: dict[str, _RunPerception] = {}
        self._past: deque[str] = deque(maxlen=PAST_RUNS)

    def take_tracked(self, frame: TrackedFrame, alerts: int, parts: int, sequence: int, now_s: float) -> None:
        """Take the notice of a tracked frame, to which `alerts` guard messages and `parts` of estimates belong."""
        received = self._received(topics.TRACKED.subject, sequence, now_s, frame.timestamp.timestamp())
        run = self._open(frame.run_id)
        if run and (newest := run.frames.add_notice(Notice(frame, alerts, parts, received))):
            self._show(frame.run_id, run, newest, now_s)

    def take_track(self, track: RadarTrack, run_id: str, frame: int, sequence: int, now_s: float) -> None:
        """Take a track of a frame."""
        received = self._received(topics.TRACKS.subject, sequence, now_s, track.timestamp.timestamp())
        run = self._open(run_id)
        if run and (newest := run.frames.add_track(frame, track, received)):
            self._show(run_id, run, newest, now_s)

    def take_estimates(self, estimates: TrackEstimates, sequence: int, now_s: float) -> None:
        """Take a part of the estimates of a frame's tracks."""
        received = self._received(topics.ESTIMATES.subject, sequence, now_s, estimates.timestamp.timestamp())
        run = self._open(estimates.run_id)
        if run and (newest := run.frames.add_estimates(estimates, received)):
            self._show(estimates.run_id, run, newest, now_s)

    def take_alert(self, alert: GuardAlert, run_id: str, frame: int, sequence: int, now_s: float) -> None:
        """Take an alert: a guard rule is met at a frame."""
        self._take_report(topics.GUARD.subject, alert, run_id, frame, sequence, now_s)

    def take_resumed(self, alert: GuardAlert, run_id: str, frame: int, sequence: int, now_s: float) -> None:
        """Take a resumed alert: within its cooldown, the rule is met again."""
        self._take_report(GUARD_RESUMED.subject, alert, run_id, frame, sequence, now_s)

    def take_cleared(self, cleared: GuardCleared, frame: int, sequence: int, now_s: float) -> None:
        """Take the end of an alert: from a frame on, the rule is no longer met."""
        self._take_report(GUARD_CLEARED.subject, cleared, cleared.run_id, frame, sequence, now_s)

    def take_telemetry(self, snapshot: TelemetrySnapshot, now_s: float) -> None:
        """Take the bot's own state; it names the current run."""
        received = self._received(topics.TELEMETRY.subject, None, now_s, snapshot.timestamp.timestamp())
        if snapshot.sim_state.run_id != self._run_id:
            self._begin_run(snapshot.sim_state.run_id, received.at_s)
        self._own = snapshot
        self._staleness.take_telemetry(snapshot, received)

    def complete(self, run_id: str, frame: int) -> bool:
        """Return whether this frame of the run, or a later one, is complete."""
        return run_id in self._runs and self._runs[run_id].frames.reached(frame)

    def world(self, tick: int, now_s: float, bios: BiosStatus | None) -> World:
        """Return what is known now."""
        self._forget_silent_radars(now_s)
        newest = self._runs[self._run_id].frames.newest if self._run_id else None
        times_s = [self._own.timestamp.timestamp()] if self._own else []
        times_s += [newest.frame.timestamp.timestamp()] if newest else []
        return World(
            tick=tick,
            run_id=self._run_id,
            t_s=max(times_s, default=0.0),
            frame=newest.frame.frame if newest else None,
            own=self._own,
            tracks=_seen_tracks(newest, now_s + self._staleness.late_s) if newest else (),
            alerts=tuple(self._alerts(now_s)),
            bios=bios,
            inputs=self._inputs(now_s),
        )

    def _received(self, subject: str, sequence: int | None, now_s: float, event_s: float) -> Received:
        return Received(subject, sequence, event_s if self._lockstep else now_s)

    def _open(self, run_id: str) -> _RunPerception | None:
        """Return a run, and move it to the end as the last one used; None for a past run."""
        if run_id in self._past:
            return None
        run = self._runs.pop(run_id, None) or _RunPerception()
        self._runs[run_id] = run
        while len(self._runs) > KEPT_RUNS or (len(self._runs) > 2 and self._weight > KEPT_IN_ALL):
            del self._runs[next(idle for idle in self._runs if idle not in {self._run_id, run_id})]
        return run

    @property
    def _weight(self) -> int:
        return sum(run.weight for run in self._runs.values())

    def _begin_run(self, run_id: str, at_s: float) -> None:
        if self._run_id:
            del self._runs[self._run_id]
            self._past.append(self._run_id)
            self._staleness.begin_run(at_s)
        if run_id in self._past:
            self._past.remove(run_id)
        self._run_id = run_id
        # Frames may come before the first telemetry of their run.
        early = self._runs.setdefault(run_id, _RunPerception()).frames.newest
        if early is not None:
            self._staleness.take_frame(early.frame, early.notice)

    def _take_report(
        self, subject: str, body: GuardAlert | GuardCleared, run_id: str, frame: int, sequence: int, now_s: float
    ) -> None:
        alert = body if isinstance(body, GuardAlert) else None
        report = GuardReport(frame, alert, self._received(subject, sequence, now_s, body.ts_epoch))
        if run := self._open(run_id):
            run.guards.add((body.rule_id, body.track_id), report)
            if newest := run.frames.add_guard(frame, (body.rule_id, body.track_id, alert is None)):
                self._show(run_id, run, newest, now_s)

    def _show(self, run_id: str, run: _RunPerception, newest: WholeFrame, now_s: float) -> None:
        """Make the newest frame of a run, just completed, the one that is seen."""
        run.guards.settle(newest.frame.frame, newest.tracks.keys())
        run.shown_s = now_s
        if run_id == self._run_id:
            # It is complete since its last message, which need not be the notice.
            at_s = newest.notice.at_s if self._lockstep else now_s
            self._staleness.take_frame(newest.frame, replace(newest.notice, at_s=at_s))

    def _forget_silent_radars(self, now_s: float) -> None:
        """Drop the frames, and so the alerts, of a silent radar; its guard's reports are kept for its return."""
        for run_id, run in self._runs.items():
            # Simulated time goes back when another run begins.
            silent = run.frames.newest is not None and abs(now_s - run.shown_s) > OTHER_RADAR_SILENT_S
            if silent and run_id != self._run_id:
                run.frames = Assembly()

    def _alerts(self, now_s: float) -> Iterator[ActiveAlert]:
        """Yield the alerts that hold, oldest first."""
        holding: list[tuple[GuardAlert, Received]] = []
        for run in self._runs.values():
            if (newest := run.frames.newest) is not None:
                holding += run.guards.holding(newest.frame.frame, newest.tracks.keys())
        holding.sort(key=lambda one: (one[0].ts_epoch, one[0].rule_id, str(one[0].track_id)))
        return (ActiveAlert(alert, received.evidence(now_s)) for alert, received in holding)

    def _inputs(self, now_s: float) -> dict[str, Input]:
        monitor = self._staleness
        return {
            TRACKS: _input(topics.TRACKED.subject, monitor.frame, monitor.tracks_alive(now_s), now_s + monitor.late_s),
            TELEMETRY: _input(topics.TELEMETRY.subject, monitor.telemetry, monitor.telemetry_alive(now_s), now_s),
        }


def _seen_tracks(newest: WholeFrame, now_s: float) -> tuple[SeenTrack, ...]:
    """Return the tracks in the order of their messages."""
    estimates = {key: SeenEstimate(one, place.evidence(now_s)) for key, (one, place) in newest.estimates.items()}
    tracks = sorted(newest.tracks.values(), key=lambda seen: seen[1].sequence or 0)
    return tuple(SeenTrack(one, place.evidence(now_s), estimates.get(one.track_id)) for one, place in tracks)


def _input(subject: str, newest: Received | None, alive: bool, now_s: float) -> Input:
    return Input(subject, newest.sequence, newest.age_s(now_s), alive) if newest else Input(subject)
