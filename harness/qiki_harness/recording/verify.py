"""Fly a recorded run again, and compare it with the recording message by message."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from qiki.contracts import topics
from qiki.contracts.headers import OWN_POSITION, OWN_VELOCITY
from qiki.contracts.radar import RadarFrame
from qiki.contracts.ticks import TICK_RATE_HZ
from qiki.errors import UserError
from qiki.flight import Flight
from qiki.flight.digest import (
    DECISIONS,
    GROUP_OF,
    GROUPS,
    NO_INGEST,
    TRUTH,
    Chains,
    FrameCollector,
    FrameMessages,
    Link,
)
from qiki.guard.rules import GuardRules
from qiki_harness.recording.contents import RunSummary
from qiki_harness.recording.difference import ABSENT, THERE, Difference, first_difference, has_frame, lacks, rank
from qiki_harness.recording.reflight import FlightPlan, fly_recorded, last_tick, plan_of
from qiki_harness.recording.runs import LATE_RECORDED, RecordedRun, recorded_frames, words_of

_LED_TO = 5  # orders
_OWN = {"own position": OWN_POSITION, "own velocity": OWN_VELOCITY}


@dataclass(frozen=True)
class Verdict:
    """The comparison of a recorded run with the same run flown again.

    Attributes:
        run: its id
        frames: number of frames compared
        first, last: their numbers
        groups: that were compared
        digest: over them, the same for both; None where there are none, or where the recording has gaps
        gaps: frames that the recording lacks, and those of which it lacks messages; what it has was compared
        difference: the first; None where there is none
        led_to: lines about what led to the difference: the frame, and the last orders before it
        remarks: what was not compared, and why
    """

    run: RunSummary
    frames: int
    first: int
    last: int
    groups: tuple[str, ...]
    digest: Link | None
    gaps: tuple[int, ...]
    difference: Difference | None
    led_to: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def same(self) -> bool:
        """True if frames were compared, and no difference was found."""
        return self.frames > 0 and self.difference is None


def verify(run: RecordedRun, rules: GuardRules | None = None) -> Verdict:
    """Fly a run again in this process, and compare.

    Args:
        rules: of the guard, if the bridge had other ones than the platform's own

    Raises:
        RecordingError: this version cannot fly it.
    """
    plan, remarks = plan_and_remarks(run, rules)
    groups = comparable(run, with_agent=plan.has_agent)
    return judge(run, groups, _flown(plan.flight(), run, groups, with_agent=plan.has_agent), remarks)


def judge(
    run: RecordedRun, groups: tuple[str, ...], flown: Iterable[FrameMessages], remarks: tuple[str, ...]
) -> Verdict:
    """Compare a recorded run with the frames of the same run flown again."""
    comparison = _Comparison(run, groups)
    for frame in flown:
        if not comparison.take(frame):
            break
    else:
        comparison.end()
    return comparison.verdict(remarks)


def plan_and_remarks(run: RecordedRun, rules: GuardRules | None) -> tuple[FlightPlan, tuple[str, ...]]:
    """Return the plan of a flight with its agent; or without it, and why."""
    plan, given = plan_of(run, rules), "the agent's decisions are taken as given"
    if not run.lockstep:
        return plan.without_agent, (f"{given}: a live agent decides by the wall clock",)
    try:
        plan.flight()
    except UserError as error:
        return plan.without_agent, (f"{given}: {error}",)
    return plan, ()


def comparable(run: RecordedRun, *, with_agent: bool) -> tuple[str, ...]:
    """Return the groups that can be compared."""
    left_out = set() if with_agent else {DECISIONS}
    if not run.truth:
        left_out.add(TRUTH)
    return tuple(group for group in GROUPS if group not in left_out)


class _Comparison:
    """Compares the flown frames with the recorded ones, in turn."""

    def __init__(self, run: RecordedRun, groups: Collection[str]) -> None:
        self._run = run
        self._groups = tuple(group for group in GROUPS if group in groups)
        self._collected = FrameCollector(run.summary.run_id, groups, LATE_RECORDED)
        self._recorded = recorded_frames(run, self._collected, groups)
        self._next = next(self._recorded, None)
        self._chains = Chains(run.summary.run_id, groups)
        self._gaps: list[int] = []
        self._difference: Difference | None = None
        self._inputs: tuple[str, ...] = ()

    def take(self, flown: FrameMessages) -> bool:
        """Compare the next flown frame; return whether there is more to compare."""
        while self._next is not None and self._next.number < flown.number and self._difference is None:
            self._skip(self._next)
        recorded = self._next
        if recorded is None or self._difference is not None:
            return False
        if recorded.number > flown.number:
            self._gaps += [flown.number] if self._chains.links else []
            return True
        self._next = next(self._recorded, None)
        at_an_end = self._next is None or not self._chains.links
        if lacks(recorded):
            if at_an_end:
                return self._next is not None
            self._gaps.append(recorded.number)
        self._difference = first_difference(recorded, flown, partial=at_an_end)
        if self._difference is None:
            self._chains.add(recorded)
        else:
            self._inputs = tuple(_inputs_of(flown))
        return self._difference is None and self._next is not None

    def end(self) -> None:
        """Note that no more is flown: a frame that is recorded behind it differs."""
        while self._next is not None and self._difference is None:
            self._skip(self._next)

    def _skip(self, recorded: FrameMessages) -> None:
        """Pass a recorded frame that is not flown: a difference, if it is more than truth."""
        if has_frame(recorded):
            self._difference = _not_flown(recorded)
        self._next = next(self._recorded, None)

    def verdict(self, remarks: tuple[str, ...]) -> Verdict:
        """Return the result."""
        links = self._chains.links
        late = self._collected.late
        whole = bool(links) and not late and not self._gaps
        return Verdict(
            run=self._run.summary,
            frames=len(links),
            first=links[0].frame if links else -1,
            last=links[-1].frame if links else -1,
            groups=self._groups,
            digest=links[-1] if whole else None,
            gaps=tuple(self._gaps),
            difference=self._difference,
            led_to=(*self._inputs, *_orders(self._run, self._difference)) if self._difference else (),
            remarks=remarks + ((f"{late} messages of the recording come too late to be compared",) if late else ()),
        )


def _not_flown(recorded: FrameMessages) -> Difference:
    key = min(recorded.messages, key=rank, default=(topics.FRAMES.subject, ""))
    return Difference(recorded.number, recorded.time, key, "", THERE, ABSENT)


def _inputs_of(frame: FrameMessages) -> Iterator[str]:
    """Yield a line about what the tracker gets with a frame."""
    for (subject, _), message in frame.messages.items():
        if subject == topics.FRAMES.subject:
            plots = len(RadarFrame.from_json(message.body).detections)
            own = ", ".join(f"{what} {message.headers[name]}" for what, name in _OWN.items())
            yield f"frame {frame.number} at {frame.time}: {plots} detections, {own}"


def _orders(run: RecordedRun, difference: Difference) -> tuple[str, ...]:
    """Return lines about the last orders that took effect before a difference."""
    rate_hz = float(run.described.scenario.get("frame_rate_hz", 10.0))
    until = round((difference.frame + 1) * TICK_RATE_HZ / rate_hz)
    given = [order for tick in sorted(run.orders) if tick < until for order in run.orders[tick]]
    return tuple(
        f"order {order.number}: {words_of(order)} ({order.origin}, {order.sender or 'unknown'})"
        for order in given[-_LED_TO:]
    )


def _flown(flight: Flight, run: RecordedRun, groups: Collection[str], *, with_agent: bool) -> Iterator[FrameMessages]:
    """Fly with the recorded orders, and yield the frames."""
    frames = FrameCollector(run.summary.run_id, groups)
    for moment in fly_recorded(flight, run, last_tick(run), with_agent=with_agent):
        for message in moment.messages(NO_INGEST):
            if message.subject in GROUP_OF:
                yield from frames.add(message)
    yield from frames.finish()
