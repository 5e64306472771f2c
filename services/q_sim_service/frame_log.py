"""The last minute of radar frames, across runs, for any number of readers, each at its own pace."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from q_sim_service.protobuf import frame_to_proto
from qiki.world.world import MeasuredFrame

KEEP_S = 60.0
MAX_BYTES = 64 * 1024 * 1024
MAX_RUNS = 1024  # that readers can name: far more than begin while frames are kept
ENTRY_BYTES = 256  # approximate size of an entry without its frame


@dataclass(frozen=True, slots=True)
class _LoggedFrame:
    run: int
    t_s: float
    logged_s: float
    number: int
    body: bytes  # several times smaller than a message

    @property
    def size(self) -> int:
        return len(self.body) + ENTRY_BYTES

    def outdates(self, old: "_LoggedFrame") -> bool:
        aged = self.logged_s - old.logged_s > KEEP_S
        return aged and (old.run != self.run or self.t_s - old.t_s > KEEP_S)


@dataclass(eq=False, slots=True)
class _Reader:
    cursor: int
    taken: int


class FrameLog:
    """Keeps frames for `KEEP_S` of wall time and of simulated time; beyond `max_bytes` the oldest are dropped."""

    def __init__(self, clock: Callable[[], float], max_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._entries: deque[_LoggedFrame] = deque()
        self._dropped = 0
        self._bytes = 0
        self._run = -1
        self._runs: dict[str, int] = {}
        self._fresh = asyncio.Event()
        self._readers: set[_Reader] = set()
        self._moved = asyncio.Event()
        self._closed = False

    def begin_run(self, run_id: str) -> None:
        """Begin a run: the frames that follow belong to it."""
        self._run += 1
        self._runs[run_id] = self._run
        if len(self._runs) > MAX_RUNS:
            del self._runs[next(iter(self._runs))]

    def append(self, frame: MeasuredFrame) -> None:
        """Log a frame of the current run, and wake the readers."""
        body = frame_to_proto(frame).SerializeToString()
        entry = _LoggedFrame(self._run, frame.t_s, self._clock(), frame.number, body)
        self._entries.append(entry)
        self._bytes += entry.size
        while self._bytes > self._max_bytes or entry.outdates(self._entries[0]):
            self._bytes -= self._entries.popleft().size
            self._dropped += 1
        self._fresh.set()

    def close(self) -> None:
        """End the readers behind the newest frame: no more will come."""
        self._closed = True
        self._fresh.set()

    async def read(self, run_id: str, after_frame: int | None) -> AsyncGenerator[bytes, None]:
        """Yield the serialised frames after `after_frame` of a run, then those of later runs, until the log is closed.

        An unknown run means the current one, from its oldest frame. Dropped frames are skipped.
        """
        run = self._runs.get(run_id)
        after = -1 if run is None or after_frame is None else after_frame
        first_run = self._run if run is None else run
        reader = _Reader(self._dropped, self._dropped)
        self._readers.add(reader)
        try:
            while (entry := await self._next(reader)) is not None:
                if entry.run > first_run or (entry.run == first_run and entry.number > after):
                    yield entry.body
        finally:
            self._readers.discard(reader)
            self._moved.set()

    @property
    def lagging(self) -> bool:
        """True if a reader has not taken all frames."""
        return any(reader.taken < self._end for reader in self._readers)

    async def caught_up(self, timeout_s: float) -> bool:
        """Wait until all readers have taken all frames; return False on timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.lagging:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    @property
    def _end(self) -> int:
        return self._dropped + len(self._entries)

    async def _next(self, reader: _Reader) -> _LoggedFrame | None:
        """Return the next entry for a reader, None at the end. Its request confirms the entry before."""
        reader.taken = reader.cursor
        self._moved.set()
        while reader.cursor >= self._end:
            if self._closed:
                return None
            self._fresh.clear()
            await self._fresh.wait()
        reader.cursor = max(reader.cursor, self._dropped)
        entry = self._entries[reader.cursor - self._dropped]
        reader.cursor += 1
        return entry
