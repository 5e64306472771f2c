"""A run of a recording: what it follows from, and its frames."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.fields import first_fault
from qiki.contracts.sim import SimOrder, SimRun
from qiki.flight.digest import GROUP_OF, FrameCollector, FrameMessages
from qiki_harness.errors import RecordingError
from qiki_harness.recording.check import summarise
from qiki_harness.recording.contents import RunSummary, Summary
from qiki_harness.recording.reader import Recording

_LATELY_NS = 5 * 10**9
LATE_RECORDED = 2000
"""Frames that a recorded frame's last message may come later: some minutes behind a broker or bridge that was away."""


@dataclass(frozen=True)
class RecordedRun:
    """A run of a recording, with all that it follows from.

    Attributes:
        orders: by the tick before which they are given
        agent: the newest state of the agent; None where none was recorded
        truth: the recording has some
    """

    recording: Recording
    summary: RunSummary
    described: SimRun
    orders: Mapping[int, tuple[SimOrder, ...]]
    agent: AgentState | None
    truth: bool

    @property
    def lockstep(self) -> bool:
        """True if the agent conducted: then its decisions follow from the run too."""
        return self.agent is not None and self.agent.conduct == "lockstep"


def words_of(order: SimOrder) -> str:
    """Return an order in a few words: its kind, its tick, its parameters; of a scenario only the name."""
    given = {name: value for name, value in order.parameters.items() if value is not None}
    shown = (f"{name}={value.get('name', '…') if isinstance(value, dict) else value}" for name, value in given.items())
    return " ".join((f"{order.order} at tick {order.tick}", *shown))


def recorded_run(recording: Recording, run_id: str | None = None) -> RecordedRun:
    """Return a run of a recording, the one with most frames where none is named.

    Raises:
        RecordingError: it has no such run, or lacks what the run follows from.
    """
    contents = summarise(recording)
    summary = chosen_run(recording, contents, run_id)
    described, orders = _inputs(recording, summary.run_id)
    if described is None:
        raise RecordingError(f"{recording.path}: the description of run {summary.run_id} is missing in it")
    numbers = [order.number for each in orders.values() for order in each]
    if sorted(numbers) != list(range(len(numbers))):
        raise RecordingError(f"{recording.path}: orders of run {summary.run_id} are missing in it")
    return RecordedRun(
        recording,
        summary,
        described,
        orders,
        _agent(recording, summary.run_id, contents.end_ns),
        topics.TRUTH.subject in contents.counts,
    )


def chosen_run(recording: Recording, contents: Summary, run_id: str | None = None) -> RunSummary:
    """Return the run of that id, the one with most frames where none is named.

    Raises:
        RecordingError: there is none.
    """
    runs = {run.run_id: run for run in contents.runs}
    if not runs:
        raise RecordingError(f"{recording.path}: it has no frames")
    if run_id is None:
        return max(runs.values(), key=lambda run: run.frames)
    if run_id not in runs:
        raise RecordingError(f"{recording.path}: it has no run {run_id} (expected one of: {', '.join(runs)})")
    return runs[run_id]


def recorded_frames(run: RecordedRun, frames: FrameCollector, groups: Collection[str]) -> Iterator[FrameMessages]:
    """Yield the frames of a recorded run, collected by `frames`.

    Raises:
        RecordingError: a message is malformed.
    """
    wanted = {subject for subject, group in GROUP_OF.items() if group in groups}
    for recorded in run.recording.messages(wanted):
        try:
            closed = frames.add(recorded.message)
        except ValueError as error:
            where = f"message {recorded.number} ({recorded.message.subject})"
            raise RecordingError(f"{run.recording.path}: {where}: {error}") from None
        yield from closed
    yield from frames.finish()


def _inputs(recording: Recording, run_id: str) -> tuple[SimRun | None, dict[int, tuple[SimOrder, ...]]]:
    described = None
    orders: dict[int, SimOrder] = {}
    try:
        for recorded in recording.messages({topics.RUNS.subject, topics.ORDERS.subject}):
            if recorded.message.subject == topics.RUNS.subject:
                found = SimRun.from_json(recorded.message.body)
                described = found if str(found.run_id) == run_id else described
            else:
                order = SimOrder.from_json(recorded.message.body)
                if str(order.run_id) == run_id:
                    orders[order.number] = order
    except ValidationError as error:
        raise RecordingError(f"{recording.path}: {error.title}: {first_fault(error)}") from None
    by_tick: dict[int, list[SimOrder]] = defaultdict(list)
    for _, order in sorted(orders.items()):
        by_tick[order.tick].append(order)
    return described, {tick: tuple(given) for tick, given in by_tick.items()}


def _agent(recording: Recording, run_id: str, end_ns: int) -> AgentState | None:
    """Return the newest state of a run's agent: mostly it is near the end, in log time."""
    newest = None
    for from_ns in (end_ns - _LATELY_NS, 0):
        for recorded in recording.messages({topics.AGENT_STATE.subject}, from_ns):
            if run_id.encode() in recorded.message.body:
                newest = recorded.message.body
        if newest is not None:
            break
    try:
        return AgentState.from_json(newest) if newest else None
    except ValidationError:
        return None
