"""Frames between the simulator and NATS: bounded, in order, with the gaps and their reasons."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from qiki.contracts.enums import FriendFoe
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.protobuf import frame_from_proto
from qiki.contracts.radar import RadarFrame
from qiki.contracts.radar_figures import RadarFigures


@dataclass(frozen=True)
class Measured:
    """A frame as the simulator gave it."""

    frame: RadarFrame
    origin: FrameOrigin
    radar: RadarFigures | None = None

    @classmethod
    def from_proto(cls, message: StreamRadarFramesResponse, radar: str = "") -> "Measured":
        """Read a message of the stream and its run's radar header; ValueError if the contract does not allow it."""
        origin = FrameOrigin(
            message.run_id,
            message.number,
            tuple(message.own_position),
            tuple(message.own_velocity),
            {name: FriendFoe(side) for name, side in message.identities.items()},
        )
        return cls(frame_from_proto(message.frame), origin, RadarFigures.of_text(radar) if radar else None)


REFUSED = "the simulator's frame breaks the contract: the log of this service says how"
OVERFLOW = "NATS was away for longer than RADAR_BACKLOG_BYTES last"
AWAY = "this service was away for longer than the simulator keeps its frames"
CUT = "the broker lost it, and the simulator no longer keeps it"
TOO_LARGE = "the broker never takes it: the log of this service says why"
LATE = "this service came to the run when the simulator no longer kept its first frames"
ENTRY_BYTES = 512  # approximate memory of a waiting frame without its body


@dataclass(frozen=True)
class Gap:
    """Frames of one run that are lost, both numbers included, and why."""

    run: str
    first_frame: int
    last_frame: int
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame that waits, and the frames received before it and lost.

    It waits serialised: a message takes twice the memory, the model of a frame some twenty times. `radar` is the header
    of the run's radar.
    """

    run: str
    number: int
    body: bytes
    radar: str = ""
    lost: list[Gap] = field(default_factory=list)

    @classmethod
    def received(cls, body: bytes, radars: Mapping[str, str]) -> "Waiting":
        """Return the frame that a message of the stream carries, with the radar header of its run."""
        message = StreamRadarFramesResponse.FromString(body)
        return cls(message.run_id, message.number, body, radars.get(message.run_id, ""))

    def read(self) -> Measured:
        """Parse the frame; ValueError if the contract does not allow it."""
        return Measured.from_proto(StreamRadarFramesResponse.FromString(self.body), self.radar)

    @property
    def size(self) -> int:
        """Approximate memory [bytes]."""
        return len(self.body) + ENTRY_BYTES

    def lose(self, reason: str) -> list[Gap]:
        """Return the gaps if this frame is lost too."""
        return joined([*self.lost, Gap(self.run, self.number, self.number, reason)])

    def behind(self, lost: list[Gap]) -> "Waiting":
        """Return the frame with earlier gaps before its own."""
        return replace(self, lost=joined([*lost, *self.lost])) if lost else self


class Backlog:
    """A queue that drops its oldest frames rather than take more than `max_bytes` of memory."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._frames: deque[Waiting] = deque()
        self._bytes = 0
        self._refused: list[Gap] = []
        self._changed = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, waiting: Waiting) -> None:
        """Append a frame; when full, drop the oldest, which the next one records. The newest always stays."""
        self._frames.append(waiting)
        self._bytes += waiting.size
        while self._bytes > self._max_bytes and len(self._frames) > 1:
            oldest = self._pop()
            self._frames[0] = self._frames[0].behind(oldest.lose(OVERFLOW))
        self._changed.set()

    def refuse(self, waiting: Waiting) -> None:
        """Record a frame that was taken but cannot be published as a gap of the next one."""
        self._refused = waiting.lose(REFUSED)

    def close(self) -> None:
        """End the queue: no more frames will come."""
        self._closed = True
        self._changed.set()

    async def take(self) -> Waiting | None:
        """Wait for a frame and return the oldest; None once closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        waiting, self._refused = self._pop().behind(self._refused), []
        return waiting

    def _pop(self) -> Waiting:
        oldest = self._frames.popleft()
        self._bytes -= oldest.size
        return oldest


def joined(gaps: list[Gap]) -> list[Gap]:
    """Return the gaps with neighbours of one reason joined."""
    result: list[Gap] = []
    for gap in gaps:
        before = result[-1] if result else None
        if before and (before.run, before.last_frame + 1, before.reason) == (gap.run, gap.first_frame, gap.reason):
            result[-1] = replace(before, last_frame=gap.last_frame)
        else:
            result.append(gap)
    return result


def gaps_before(waiting: Waiting, last: tuple[str, int] | None) -> list[Gap]:
    """Return the gaps between the last frame handled, `(run, number)`, and this one, in order."""
    gaps: list[Gap] = []
    for lost in waiting.lost:
        gaps += [*not_received(lost.run, lost.first_frame, last), lost]
        last = (lost.run, lost.last_frame)
    return gaps + not_received(waiting.run, waiting.number, last)


def not_received(run: str, number: int, last: tuple[str, int] | None, reason: str = "") -> list[Gap]:
    """Return the gap between a frame and the next one received; the reason is found where none is given."""
    goes_on = last is not None and last[0] == run
    expected = last[1] + 1 if last is not None and goes_on else 0
    reason = reason or (AWAY if goes_on else LATE)
    return [] if number <= expected else [Gap(run, expected, number - 1, reason)]
