"""The observer: messages in, the world out.

A frame is shown when all of it is there: the notice that it is tracked, its tracks, and what its guard said. Guard
messages may be read from long before the first frame: an alert counts once its track is seen in a whole frame.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from qiki.agent.perception.alerts import GuardBook, Word
from qiki.agent.perception.evidence import Received
from qiki.agent.perception.frames import Assembly
from qiki.agent.perception.staleness import Liveness
from qiki.agent.world import TELEMETRY, TRACKS, ActiveAlert, Input, SeenTrack, World
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, GuardCleared
from qiki.contracts.events.agent import BiosStatus
from qiki.contracts.models import GuardAlert, RadarTrack, TelemetrySnapshot, TrackedFrame

OTHER_RADAR_SILENT_S = 5.0
KEPT_RUNS = 32
PAST_RUNS = 64


@dataclass(slots=True)
class _Run:
    """What came of one run: the simulator's, or another radar's.

    Attributes:
        shown_s: when its newest whole frame came, on the agent's clock
    """

    frames: Assembly = field(default_factory=Assembly)
    guards: GuardBook = field(default_factory=GuardBook)
    shown_s: float = 0.0


class Observer:
    """Puts together what the agent knows.

    All times `now_s` are seconds on the agent's clock. In lockstep, where that is simulated time, messages count from
    the time that they tell of, so that ages do not depend on when they were read.

    Feed it all guard messages that are kept before the first tick: an alert that is read is believed until its end is.
    """

    def __init__(self, stale_min_s: float, lockstep: bool) -> None:
        self._lockstep = lockstep
        self._liveness = Liveness(stale_min_s, lockstep)
        self._own: TelemetrySnapshot | None = None
        self._run_id = ""
        self._runs: dict[str, _Run] = {}
        self._past: deque[str] = deque(maxlen=PAST_RUNS)

    def take_tracked(self, frame: TrackedFrame, alerts: int, sequence: int, now_s: float) -> None:
        """A frame is tracked; `alerts` is how many guard messages it gave."""
        received = self._received(topics.TRACKED.subject, sequence, now_s, frame.timestamp.timestamp())
        if run := self._run(frame.run_id):
            self._show(frame.run_id, run, run.frames.add_notice(frame, alerts, received), now_s)

    def take_track(self, track: RadarTrack, run: str, frame: int, sequence: int, now_s: float) -> None:
        """A track of a frame."""
        received = self._received(topics.TRACKS.subject, sequence, now_s, track.timestamp.timestamp())
        if found := self._run(run):
            self._show(run, found, found.frames.add_track(frame, track, received), now_s)

    def take_alert(self, alert: GuardAlert, run: str, frame: int, sequence: int, now_s: float) -> None:
        """A guard rule was met at a frame."""
        self._take_met(topics.GUARD.subject, alert, run, frame, sequence, now_s)

    def take_resumed(self, alert: GuardAlert, run: str, frame: int, sequence: int, now_s: float) -> None:
        """A guard rule is met again at a frame, within the cooldown of an alert that had ended."""
        self._take_met(GUARD_RESUMED.subject, alert, run, frame, sequence, now_s)

    def _take_met(self, subject: str, alert: GuardAlert, run: str, frame: int, sequence: int, now_s: float) -> None:
        received = self._received(subject, sequence, now_s, alert.ts_epoch)
        self._take_word(run, (alert.rule_id, alert.track_id), Word(frame, alert, received), now_s)

    def take_cleared(self, cleared: GuardCleared, frame: int, sequence: int, now_s: float) -> None:
        """A guard rule is no longer met from a frame on."""
        received = self._received(GUARD_CLEARED.subject, sequence, now_s, cleared.ts_epoch)
        self._take_word(cleared.run_id, (cleared.rule_id, cleared.track_id), Word(frame, None, received), now_s)

    def take_telemetry(self, snapshot: TelemetrySnapshot, now_s: float) -> None:
        """The bot's own state; it says which run is the current one."""
        received = self._received(topics.TELEMETRY.subject, None, now_s, snapshot.timestamp.timestamp())
        if snapshot.sim_state.run_id != self._run_id:
            self._begin_run(snapshot.sim_state.run_id, received.at_s)
        self._own = snapshot
        self._liveness.take_telemetry(snapshot, received)

    def complete(self, run: str, frame: int) -> bool:
        """Whether this frame of the run, or a later one, is there as a whole."""
        return run in self._runs and self._runs[run].frames.reached(frame)

    def world(self, tick: int, now_s: float, bios: BiosStatus | None) -> World:
        """What is known now."""
        self._forget_silent_radars(now_s)
        newest = self._runs[self._run_id].frames.newest if self._run_id else None
        times_s = [self._own.timestamp.timestamp()] if self._own else []
        times_s += [newest.frame.timestamp.timestamp()] if newest else []
        tracks = sorted(newest.tracks.values(), key=lambda seen: seen.received.sequence or 0) if newest else []
        late_s = self._liveness.late_s
        return World(
            tick=tick,
            run_id=self._run_id,
            t_s=max(times_s, default=0.0),
            frame=newest.frame.frame if newest else None,
            own=self._own,
            tracks=tuple(SeenTrack(seen.report, seen.received.evidence(now_s + late_s)) for seen in tracks),
            alerts=tuple(self._alerts(now_s)),
            bios=bios,
            inputs=self._inputs(now_s),
        )

    def _received(self, subject: str, sequence: int | None, now_s: float, event_s: float) -> Received:
        return Received(subject, sequence, event_s if self._lockstep else now_s)

    def _run(self, name: str) -> _Run | None:
        """The run of that name, the last one used at the end; None for a run that is over."""
        if name in self._past:
            return None
        run = self._runs.pop(name, None) or _Run()
        self._runs[name] = run
        if len(self._runs) > KEPT_RUNS:
            del self._runs[next(idle for idle in self._runs if idle != self._run_id)]
        return run

    def _begin_run(self, name: str, at_s: float) -> None:
        if self._run_id:
            del self._runs[self._run_id]
            self._past.append(self._run_id)
            self._liveness.begin_run(at_s)
        if name in self._past:
            self._past.remove(name)
        self._run_id = name
        # Its frames may have come before telemetry told of it.
        early = self._runs.setdefault(name, _Run()).frames.newest
        if early is not None:
            self._liveness.take_frame(early.frame, early.notice)

    def _take_word(self, name: str, key: tuple[str, UUID], word: Word, now_s: float) -> None:
        if run := self._run(name):
            run.guards.add(key, word)
            said = (*key, word.alert is None)
            self._show(name, run, run.frames.add_guard(word.frame, said), now_s)

    def _show(self, name: str, run: _Run, fresh: bool, now_s: float) -> None:
        """The run has another newest whole frame, if `fresh`."""
        newest = run.frames.newest
        if not fresh or newest is None:
            return
        run.guards.settle(newest.frame.frame, newest.tracks.keys())
        run.shown_s = now_s
        if name == self._run_id:
            # Whole when its last message came, which need not have been the notice.
            at_s = newest.notice.at_s if self._lockstep else now_s
            received = Received(newest.notice.subject, newest.notice.sequence, at_s)
            self._liveness.take_frame(newest.frame, received)

    def _forget_silent_radars(self, now_s: float) -> None:
        """Alerts of a radar that says nothing lapse; what its guard said is kept for its return."""
        for name, run in self._runs.items():
            # Simulated time goes back when another run begins.
            silent = run.frames.newest is not None and abs(now_s - run.shown_s) > OTHER_RADAR_SILENT_S
            if silent and name != self._run_id:
                run.frames = Assembly()

    def _alerts(self, now_s: float) -> Iterator[ActiveAlert]:
        """Those that hold, oldest first."""
        held = [
            (word.alert, word.received)
            for run in self._runs.values()
            if (newest := run.frames.newest) is not None
            for word in run.guards.holding(newest.frame.frame, newest.tracks.keys())
            if word.alert is not None
        ]
        held.sort(key=lambda one: (one[0].ts_epoch, one[0].rule_id, str(one[0].track_id)))
        return (ActiveAlert(alert, received.evidence(now_s)) for alert, received in held)

    def _inputs(self, now_s: float) -> dict[str, Input]:
        live = self._liveness
        return {
            TRACKS: _input(topics.TRACKED.subject, live.frame, live.tracks_alive(now_s), now_s + live.late_s),
            TELEMETRY: _input(topics.TELEMETRY.subject, live.telemetry, live.telemetry_alive(now_s), now_s),
        }


def _input(subject: str, newest: Received | None, alive: bool, now_s: float) -> Input:
    if newest is None:
        return Input(subject)
    return Input(subject, newest.sequence, newest.age_s(now_s), alive)
