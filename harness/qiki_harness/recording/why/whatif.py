"""A recorded run, flown with and without one changed input, and the decisions of the agent in both."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from qiki.contracts.ticks import TICK_S
from qiki.errors import UserError
from qiki.guard.rules import GuardRules
from qiki_harness.errors import RecordingError
from qiki_harness.recording.reflight import last_tick, plan_of
from qiki_harness.recording.runs import RecordedRun
from qiki_harness.recording.verify import Verdict, verify
from qiki_harness.recording.why.course import Act, Course, course_of
from qiki_harness.recording.why.inputs import InputTree


@dataclass(frozen=True)
class Change:
    """A change of the agent's inputs: tracks that are hidden from it, and settings `NAME=VALUE`."""

    hidden: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class WhatIf:
    """A run flown twice in this process, with and without a change.

    Attributes:
        changes: in words
        unchanged, changed: the two courses
        verdict: of the comparison of the run, as it was recorded, with the recording
        remarks: in words
    """

    changes: tuple[str, ...]
    unchanged: Course
    changed: Course
    verdict: Verdict
    remarks: tuple[str, ...]

    @property
    def parts_at(self) -> tuple[list[Act], list[Act]] | None:
        """The decisions of both at the first moment at which they differ; None where they never do."""
        return _first_difference(self.unchanged.decisions, self.changed.decisions)

    def only(self, what: str) -> tuple[list[Act], list[Act]]:
        """Return the acts of a kind, `modes` or `commands`, that only one of the courses has."""
        one, other = getattr(self.unchanged, what), getattr(self.changed, what)
        return [act for act in one if act not in other], [act for act in other if act not in one]

    def values(self) -> dict[str, Any]:
        """Return all as JSON values."""
        differing = self.parts_at
        first = differing and [[asdict(act) for act in acts] for acts in differing]
        return {
            "changes": list(self.changes),
            "same_as_recording": self.verdict.same,
            "first_difference": first and {"unchanged": first[0], "changed": first[1]},
            "unchanged": asdict(self.unchanged),
            "changed": asdict(self.changed),
            "remarks": list(self.remarks),
        }


def what_if(run: RecordedRun, change: Change, rules: GuardRules | None = None, seconds: float | None = None) -> WhatIf:
    """Fly a recorded run with and without a change, with the agent in lockstep.

    Args:
        rules: of the guard, if the bridge had other ones than the platform's own
        seconds: from the run's begin; None: to the last recorded frame

    Raises:
        UserError: the run cannot be flown here, or the change is wrong.
    """
    if run.agent is None:
        raise RecordingError(f"{run.recording.path}: it has no state of an agent: nothing decides in it")
    plan = plan_of(run, rules)
    try:
        plan.flight()
    except UserError as error:
        raise RecordingError(f"{run.recording.path}: the agent cannot be flown here: {error}") from None
    inputs, words = InputTree.of(plan), [f"track {one} were hidden from the agent" for one in change.hidden]
    for setting in change.settings:
        inputs, word = inputs.changed(setting)
        words.append(word)
    end_tick = last_tick(run) if seconds is None else round(seconds / TICK_S)
    unchanged = course_of(plan, run, end_tick)
    changed = course_of(inputs.plan(plan), run, end_tick, change.hidden)
    return WhatIf(tuple(words), unchanged, changed, verify(run, rules), tuple(_remarks(run, change, changed)))


def _remarks(run: RecordedRun, change: Change, changed: Course) -> Iterator[str]:
    if not run.lockstep:
        yield "the agent was live: it decides in lockstep here, unchanged and changed, and not as it was recorded"
    if change.hidden:
        yield f"frames with a hidden track: {changed.hidden}"
    yield from (f"refused with the change: {one}" for one in changed.refused)


def _first_difference(one: Sequence[Act], other: Sequence[Act]) -> tuple[list[Act], list[Act]] | None:
    for t_s in sorted({act.t_s for act in (*one, *other)}):
        mine, theirs = [act for act in one if act.t_s == t_s], [act for act in other if act.t_s == t_s]
        if mine != theirs:
            return mine, theirs
    return None
