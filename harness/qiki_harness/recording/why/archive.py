"""The messages of a recorded run that lead from a command back to its plots, read in few passes over the file."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.control import ControlAck
from qiki.contracts.events import EVENTS as KINDS
from qiki.contracts.fields import Payload, first_fault
from qiki.contracts.headers import FRAME, MESSAGE_ID
from qiki.contracts.numbers import MAX_FRAME, whole_number
from qiki.contracts.sim import SimRun
from qiki.flight.digest import run_of
from qiki_harness.errors import RecordingError
from qiki_harness.recording.contents import RunSummary
from qiki_harness.recording.layout import Recorded, nanoseconds
from qiki_harness.recording.reader import Recording

EVENTS = frozenset(kind.subject for kind in KINDS) - {topics.AUDIT.subject}
FRAMES, TRACKS = topics.FRAMES.subject, topics.TRACKS.subject
ORDERS, RUNS, ANSWERS = topics.ORDERS.subject, topics.RUNS.subject, topics.RESPONSES.subject
STATES = topics.AGENT_STATE.subject
LIVE = "live"
Place = tuple[int, str]
"""Number of a frame, and id of a track."""
P = TypeVar("P", bound=Payload)


@dataclass(slots=True)
class TrackSpan:
    """The frames that have a track: first, last, and their number."""

    first: int
    last: int
    count: int = 0


class Archive:
    """The messages of a run. The events and orders are read at once, others when they are asked for.

    Attributes:
        events: of the run, and of services
        orders: that took effect
        answers: to control commands, by the id of the command
        tracks: by id
        live: the agent's clock was the wall clock: ages are wall time

    Raises:
        RecordingError: a message is malformed.
    """

    def __init__(self, recording: Recording, summary: RunSummary) -> None:
        self.recording, self.run_id = recording, summary.run_id
        self.events: list[Recorded] = []
        self.orders: list[Recorded] = []
        self.answers: dict[str, Recorded] = {}
        self.tracks: dict[str, TrackSpan] = {}
        self.live = False
        self._epoch_ns = summary.begin_ns
        for one in recording.messages({*EVENTS, ORDERS, RUNS, ANSWERS, TRACKS, STATES}):
            self._add(one)

    def since_epoch_s(self, event_ns: int) -> float:
        """Return simulated time since the scenario's epoch; since the first frame if the description is missing."""
        return (event_ns - self._epoch_ns) / 1e9

    def read(self, one: Recorded, model: type[P]) -> P:
        """Return the body of a message."""
        try:
            return model.from_json(one.message.body)
        except ValidationError as error:
            raise self._fault(one, first_fault(error)) from None

    def frame_of(self, one: Recorded) -> int:
        """Return the number of the frame that a message belongs to."""
        try:
            return whole_number(one.message.headers.get(FRAME, ""), FRAME, MAX_FRAME)
        except ValueError as error:
            raise self._fault(one, str(error)) from None

    def of_frames(
        self, frames: Collection[int], tracks: Collection[Place]
    ) -> tuple[dict[int, Recorded], dict[Place, Recorded]]:
        """Return the radar's frames of these numbers, and the messages of tracks at frames."""
        subjects = ({FRAMES} if frames else set()) | ({TRACKS} if tracks else set())
        found: tuple[dict[int, Recorded], dict[Place, Recorded]] = {}, {}
        for one in self.recording.messages(subjects) if subjects else ():
            if run_of(one.message) != self.run_id:
                continue
            number = self.frame_of(one)
            if one.message.subject == FRAMES and number in frames:
                found[0][number] = one
            elif one.message.subject == TRACKS and (place := (number, track_of(one))) in tracks:
                found[1][place] = one
        return found

    def _add(self, one: Recorded) -> None:
        subject, run_id = one.message.subject, run_of(one.message)
        if subject == ANSWERS:
            self.answers[self.read(one, ControlAck).request_id or ""] = one
        elif subject in EVENTS and run_id in {"", self.run_id}:
            self.events.append(one)
        elif run_id != self.run_id:
            return
        elif subject == ORDERS:
            self.orders.append(one)
        elif subject == TRACKS:
            frame = self.frame_of(one)
            span = self.tracks.setdefault(track_of(one), TrackSpan(frame, frame))
            span.first, span.last, span.count = min(span.first, frame), max(span.last, frame), span.count + 1
        elif subject == STATES:
            self.live = self.read(one, AgentState).conduct == LIVE
        else:
            self._epoch_ns = nanoseconds(self.read(one, SimRun).timestamp)

    def _fault(self, one: Recorded, problem: str) -> RecordingError:
        return RecordingError(f"{self.recording.path}: message {one.number} ({one.message.subject}): {problem}")


def track_of(one: Recorded) -> str:
    """Return the id of the track that a track's message is of."""
    return one.message.headers.get(MESSAGE_ID, "").rpartition(":")[2]
