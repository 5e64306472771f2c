"""Record a running stack: all that passes, and what its streams keep."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from nats.aio.msg import Msg

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.runtime.stream import Begin
from qiki_harness.errors import HarnessError, RecordingError
from qiki_harness.recording.layout import Note, nanoseconds
from qiki_harness.recording.stored import StoredRun
from qiki_harness.recording.writer import FLUSH_S, RecordingWriter
from qiki_harness.twin.wire import Wire, check_listening

_CONNECT_S = 10.0
_FOLLOW_S = 30.0  # until all streams are followed, and what a run follows from is read
_INPUTS = frozenset({topics.RUNS.subject, topics.ORDERS.subject})


Wanted = Callable[[Msg, datetime], bool]


def _wanted(run: StoredRun | None, *, everything: bool) -> Wanted:
    if run is not None:
        return run.has
    if everything:
        return lambda _message, _stored: True
    begin = datetime.now(UTC)
    return lambda message, stored: stored >= begin or message.subject in _INPUTS


class RecordingSink:
    """Writes what passes into a recording, until it cannot be written.

    Args:
        writer: of the recording
        wanted: tells which kept messages are written, by their time of storage
        passing: also what passes and is not kept

    Attributes:
        error: why the recording has ended early
    """

    def __init__(self, writer: RecordingWriter, wanted: Wanted, *, passing: bool = True) -> None:
        self.topics = tuple(topic for topic in topics.TOPICS if not topic.answered and (passing or topic.stream))
        self.error: RecordingError | None = None
        self.ended = threading.Event()
        self._writer = writer
        self._wanted = wanted
        self._broken_ns = 0

    def take(self, message: Msg, sequence: int) -> None:
        """Write a message."""
        stored = message.metadata.timestamp if sequence else datetime.now(UTC)
        if sequence and not self._wanted(message, stored):
            return
        if self._broken_ns:
            self._note_break(self._broken_ns)
        headers = dict(message.headers or {})
        came_ns = nanoseconds(stored)
        self._do(lambda: self._writer.put(Message(message.subject, message.data, headers), sequence, came_ns))

    def withdraw(self, stream: str, behind: int) -> None:
        """Note that messages of a stream were lost by the broker: they may come again."""
        self._do(lambda: self._writer.note(Note(kind="lost", stream=stream, behind=behind), time.time_ns()))

    def broke(self, moment: datetime) -> None:
        """Remember that the connection broke; it is noted once something comes again: the end is no break."""
        self._broken_ns = self._broken_ns or nanoseconds(moment)

    def _note_break(self, broken_ns: int) -> None:
        self._broken_ns = 0
        self._do(lambda: self._writer.note(Note(kind="break"), broken_ns))

    def _do(self, write: Callable[[], None]) -> None:
        if self.error is not None:
            return
        try:
            write()
        except RecordingError as error:
            self.error = error
        except Exception as error:  # the connection would swallow it
            self.error = RecordingError(f"the recording ends here: {type(error).__name__}: {error}")
        if self.error is not None:
            self.ended.set()


class Recorder:
    """Records while its context lasts.

    Args:
        writer: of the recording; it is closed at the end
        url: of the broker
        keys: folder of the credentials, an operator's or the tests'; a viewer follows no stream
        everything: also what the streams have kept until now
        run: nothing but this run of what the streams have kept

    Raises:
        HarnessError: NATS does not answer.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        url: str,
        keys: str | None,
        *,
        everything: bool = False,
        run: StoredRun | None = None,
    ) -> None:
        self._writer = writer
        self._url = url
        self._everything = everything or run is not None
        self.sink = RecordingSink(writer, _wanted(run, everything=everything), passing=run is None)
        begin = (run.begin or Begin.OLDEST) if run else Begin.OLDEST if everything else Begin.NEW
        self._wire = Wire(url, self.sink, begin, keys, {topics.QIKI_STATE_V1: Begin.OLDEST})

    def __enter__(self) -> Self:
        try:
            check_listening(self._url, _CONNECT_S)
            self._wire.open(_CONNECT_S, None if self._everything else _FOLLOW_S)
        except HarnessError as error:
            self._writer.discard()
            raise HarnessError(f"no NATS server answers at {self._url}: {error}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()
        self._writer.__exit__(kind, error, trace)

    @property
    def caught_up(self) -> bool:
        """True once all that the streams kept before has come."""
        return self._wire.caught_up

    def catch_up(self, deadline_s: float = _FOLLOW_S) -> None:
        """Wait until all that the streams keep now is recorded.

        Raises:
            HarnessError: not in time.
        """
        self._wire.catch_up(deadline_s)
        self._writer.flush()

    def wait(self, going_on: Callable[[], bool]) -> None:
        """Record while `going_on`, which is asked twice a second.

        Raises:
            RecordingError: the recording cannot be written any more; it is readable up to there.
        """
        while going_on() and not self.sink.ended.wait(FLUSH_S):
            self._wire.check()
            self._writer.flush(due=True)
        if self.sink.error:
            raise self.sink.error
