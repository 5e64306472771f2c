"""Write a recording: what is written is readable a second later, whatever becomes of the writer."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mcap.writer import CompressionType, Writer

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.sim import SimRun
from qiki_harness.errors import RecordingError
from qiki_harness.recording import layout
from qiki_harness.recording.contents import Contents
from qiki_harness.recording.foxglove.channels import ENCODING, DerivedChannel, schema_of
from qiki_harness.recording.foxglove.converter import FoxgloveConverter
from qiki_harness.recording.layout import About, Note

FLUSH_S = 0.5
CHUNK_BYTES = 1 << 20


class RecordingWriter:
    """A recording that grows. Safe to use from several threads.

    Raises:
        RecordingError: the file exists already, or cannot be written; from then on nothing is written.
    """

    def __init__(self, path: Path, about: About, attachments: Mapping[str, bytes] | None = None) -> None:
        self.path = path
        self.count = 0
        self._contents = Contents()
        self._converter = FoxgloveConverter()
        self._underived: list[tuple[Message, int, int, int]] = []
        self._lock = threading.Lock()
        self._channels: dict[str, int] = {}
        self._flushed_s = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        except FileExistsError:
            raise RecordingError(f"{path} is there already: name another file, or remove it") from None
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror}") from None
        self._writer: Writer | None = Writer(self._file, CHUNK_BYTES, CompressionType.ZSTD)
        with self._writing() as writer:
            writer.start(layout.PROFILE, f"{layout.LIBRARY} {about.product}")
            writer.add_metadata(layout.ABOUT, {name: str(value) for name, value in about.model_dump().items()})
            for name, data in (attachments or {}).items():
                self._attach(writer, name, data)
            self._headers = writer.register_channel(layout.HEADERS, layout.HEADERS_ENCODING, 0)
            self._notes = writer.register_channel(layout.NOTES, "json", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with contextlib.suppress(RecordingError):
                self.close()

    def put(self, message: Message, sequence: int = 0, came_ns: int | None = None) -> None:
        """Add a message, and a run's scenario where it describes a run.

        Args:
            sequence: its place in its stream; 0: it is not kept
            came_ns: time of arrival, Unix time; None: the event time, as for what never travelled
        """
        event_ns = layout.event_ns(message)
        log_ns = came_ns if came_ns is not None else event_ns or 0
        with self._writing() as writer:
            if message.subject == topics.RUNS.subject:
                self._attach_run(writer, message.body)
            self.count += 1
            channel = self._channel(writer, message.subject)
            headers = layout.pack_headers(message.headers, sequence)
            event_ns = log_ns if event_ns is None else event_ns
            self._contents.add(message, log_ns, event_ns)
            writer.add_message(self._headers, log_ns, headers, event_ns, self.count)
            writer.add_message(channel, log_ns, message.body, event_ns, self.count)
            self._underived.append((message, log_ns, event_ns, self.count))
        self.flush(due=True)

    def note(self, note: Note, came_ns: int) -> None:
        """Add a note on the messages before it."""
        with self._writing() as writer:
            self.count += 1
            self._contents.note(note)
            writer.add_message(self._notes, came_ns, note.model_dump_json().encode(), came_ns, self.count)

    def flush(self, *, due: bool = False) -> None:
        """Hand all to the operating system; with `due` only if it is time to."""
        if due and time.monotonic() - self._flushed_s < FLUSH_S:
            return
        with self._writing() as writer:
            self._derive(writer)
            _end_chunk(writer)
            self._file.flush()
            self._flushed_s = time.monotonic()

    def close(self) -> None:
        """Write the index, and close the file; nothing for one that has ended already.

        Raises:
            RecordingError: it cannot be written to its end.
        """
        if self._writer is None:
            return
        with self._writing() as writer:
            self._derive(writer)
            self._attach(writer, layout.CONTENTS, self._contents.summary().model_dump_json().encode())
            writer.finish()
            self._file.close()
        self._writer = None

    def discard(self) -> None:
        """Close the file, and remove it."""
        with contextlib.suppress(RecordingError):
            self.close()
        self.path.unlink(missing_ok=True)

    def _attach_run(self, writer: Writer, body: bytes) -> None:
        with contextlib.suppress(ValueError):
            run = SimRun.from_json(body)
            self._attach(writer, f"run-{run.run_id}.json", body)

    def _attach(self, writer: Writer, name: str, data: bytes) -> None:
        media = "application/json" if name.endswith(".json") else "application/yaml"
        now_ns = time.time_ns()
        writer.add_attachment(now_ns, now_ns, name, media, data)

    def _channel(self, writer: Writer, subject: str) -> int:
        if subject not in self._channels:
            schema = layout.schema_of(subject)
            schema_id = writer.register_schema(schema[0], "jsonschema", schema[1]) if schema else 0
            topic = layout.topic_of(subject)
            metadata = {"stream": topic.stream or ""} if topic else {}
            self._channels[subject] = writer.register_channel(subject, "json", schema_id, metadata)
        return self._channels[subject]

    def _derive(self, writer: Writer) -> None:
        """Add what is derived from the messages since the last time: together they take half the time."""
        waiting, self._underived = self._underived, []
        for message, log_ns, event_ns, number in waiting:
            for derived in self._converter.convert(message, event_ns):
                channel = self._derived_channel(writer, derived.channel)
                writer.add_message(channel, log_ns, derived.data, event_ns, number)

    def _derived_channel(self, writer: Writer, channel: DerivedChannel) -> int:
        if channel.topic not in self._channels:
            schema_id = writer.register_schema(channel.schema_name, ENCODING, schema_of(channel))
            self._channels[channel.topic] = writer.register_channel(
                channel.topic, ENCODING, schema_id, {"source": channel.source}
            )
        return self._channels[channel.topic]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Any]:
        with self._lock:
            if self._writer is None:
                raise RecordingError(f"{self.path} is closed")
            try:
                yield self._writer
            except OSError as error:
                self._writer = None
                with contextlib.suppress(OSError):
                    self._file.close()
                raise RecordingError(f"{self.path}: {error.strerror}: the recording ends here") from None


def _end_chunk(writer: Any) -> None:
    """End the chunk that is open: mcap 1.6 does it by size only, and has no public way to do it by time."""
    writer._Writer__finalize_chunk()
