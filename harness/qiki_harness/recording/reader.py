"""Read a recording, whole or cut short anywhere."""

import contextlib
import os
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

import zstandard
from mcap.exceptions import EndOfFile, InvalidMagic, McapError
from mcap.opcode import Opcode
from mcap.reader import SeekingReader
from mcap.records import Attachment, Channel, Chunk, ChunkIndex, DataEnd, Header, McapRecord, Metadata
from mcap.records import Message as McapMessage
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.summary import Summary
from pydantic import ValidationError

from qiki.contracts.headers import Message
from qiki_harness.errors import RecordingError
from qiki_harness.recording import layout
from qiki_harness.recording.layout import About, Note, Recorded

MAX_RECORD_BYTES = 256 << 20
"""Largest record or chunk: a chunk of ours has 1 MiB and a message of at most 4 MB more."""
_DAMAGES = (McapError, struct.error, zstandard.ZstdError, ArithmeticError, LookupError, MemoryError, ValueError)
"""The errors that mcap raises for a damaged file."""
_RECORD, _MESSAGE, _IS_MESSAGE = struct.Struct("<BQ"), struct.Struct("<HIQQ"), int(Opcode.MESSAGE)
_FOOTER_BYTES, _CHECKSUM_BYTES = 37, 12  # with the magic behind it; the index's checksum covers all before itself


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Messages of a stream behind a sequence that came before a number are withdrawn."""

    stream: str
    behind: int
    before: int


class Recording:
    """A recording on file.

    Attributes:
        about: its origin
        problem: why it ends before its end; empty for a whole one. Known for a file without an index once it was read

    Raises:
        RecordingError: it is no recording, or of a later version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder: object = None  # of an unpacked bundle: it is removed with its last recording
        self.problem = ""
        with self._reading() as file:
            self._check_header(file)
        self.summary = self._summary()
        self.about = self._about()
        self._withdrawals: list[Withdrawal] | None = None

    def messages(self, subjects: Collection[str] | None = None, from_ns: int = 0) -> Iterator[Recorded]:
        """Yield the messages in the order of their log times, without those that a killed broker has lost.

        A file without an index is read as a whole first.

        Args:
            subjects: None: all
            from_ns: log time, Unix time, from which on they are wanted
        """
        withdrawals = self._lost()
        headers: dict[int, McapMessage] = {}
        for channel, record in self._timed(from_ns, subjects):
            if channel.topic == layout.HEADERS:
                headers[record.sequence] = record
            elif channel.topic != layout.NOTES and not channel.topic.startswith(layout.DERIVED):
                if record.log_time < from_ns:
                    continue
                of_it = headers.pop(record.sequence, None)
                if subjects is not None and channel.topic not in subjects:
                    continue
                if of_it is None:
                    raise self._fault(f"message {record.sequence} has no headers")
                fields, sequence = self._headers(of_it)
                if not _withdrawn(channel, record.sequence, sequence, withdrawals):
                    message = Message(channel.topic, record.data, fields)
                    yield Recorded(message, record.sequence, sequence, record.log_time, record.publish_time)

    def attachments(self) -> dict[str, bytes]:
        """Return the attachments by name."""
        return {record.name: record.data for record in self._records() if isinstance(record, Attachment)}

    @property
    def attachment_names(self) -> list[str]:
        """The names of the attachments, by the index where there is one."""
        if self.summary is None:
            return list(self.attachments())
        return list(dict.fromkeys(one.name for one in self.summary.attachment_indexes))

    def attachment(self, name: str) -> bytes | None:
        """Return an attachment, found by the index; None where there is none, or no index."""
        if self.summary is None:
            return None
        for one in self.summary.attachment_indexes:
            if one.name == name:
                with self._reading() as file:
                    file.seek(one.offset)
                    records = StreamReader(file, skip_magic=True, record_size_limit=MAX_RECORD_BYTES).records
                    record = next(records, None)
                return record.data if isinstance(record, Attachment) else None
        return None

    def notes(self) -> Iterator[tuple[int, Note]]:
        """Yield the notes with their numbers."""
        if not self._has_notes():
            return
        for channel, record in self._timed(0, {layout.NOTES}):
            if channel.topic == layout.NOTES:
                try:
                    yield record.sequence, Note.model_validate_json(record.data)
                except ValidationError:
                    raise self._fault(f"note {record.sequence} is malformed") from None

    def _lost(self) -> list[Withdrawal]:
        if self._withdrawals is None:
            self._withdrawals = [
                Withdrawal(note.stream, note.behind, number) for number, note in self.notes() if note.kind == "lost"
            ]
        return self._withdrawals

    def _has_notes(self) -> bool:
        if self.summary is None or self.summary.statistics is None:
            return True
        counts = self.summary.statistics.channel_message_counts
        return any(counts.get(one.id) for one in self.summary.channels.values() if one.topic == layout.NOTES)

    def _headers(self, record: McapMessage) -> tuple[dict[str, str], int]:
        try:
            return layout.unpack_headers(record.data)
        except ValueError:
            raise self._fault(f"the headers of message {record.sequence} are malformed") from None

    def _timed(self, from_ns: int, topics: Collection[str] | None) -> Iterator[tuple[Channel, McapMessage]]:
        """Yield the messages of all channels by log time, those of one time as they were written.

        Chunks without a message on one of these topics are passed over, but for the one before another: its last
        record may be the headers of a message there.
        """
        if self.summary is None:
            found = list(self._in_file())
            yield from sorted(found, key=lambda one: one[1].log_time)
            return
        channels = self.summary.channels
        chunks = [one for one in self._chunks_with(topics) if one.message_end_time >= from_ns]
        chunks.sort(key=lambda one: one.message_start_time)
        waiting: list[tuple[int, int, int, McapMessage]] = []
        with self._reading() as file:
            for place, chunk in enumerate(chunks):
                file.seek(chunk.chunk_start_offset)
                for number, record in enumerate(self._chunk(file)):
                    heappush(waiting, (record.log_time, chunk.chunk_start_offset, number, record))
                until = chunks[place + 1].message_start_time if place + 1 < len(chunks) else None
                while waiting and (until is None or waiting[0][0] < until):
                    record = heappop(waiting)[3]
                    yield channels[record.channel_id], record

    def _chunks_with(self, topics: Collection[str] | None) -> list[ChunkIndex]:
        """Return the chunks that hold messages on these topics, each with the one before it."""
        assert self.summary is not None
        wanted = {one.id for one in self.summary.channels.values() if topics is None or one.topic in topics}
        chunks = sorted(self.summary.chunk_indexes, key=lambda one: one.chunk_start_offset)
        holds = [bool(wanted & one.message_index_offsets.keys()) for one in chunks]
        return [one for one, here, behind in zip(chunks, holds, [*holds[1:], False], strict=True) if here or behind]

    def _in_file(self) -> Iterator[tuple[Channel, McapMessage]]:
        channels: dict[int, Channel] = {}
        for record in self._records():
            if isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, McapMessage):
                if record.channel_id not in channels:
                    raise self._fault(f"a message is of channel {record.channel_id}, which is not there")
                yield channels[record.channel_id], record

    def _chunk(self, file: Any) -> list[McapMessage]:
        """Return the messages of the chunk that begins here."""
        reader = StreamReader(file, skip_magic=True, emit_chunks=True, record_size_limit=MAX_RECORD_BYTES)
        record = next(reader.records, None)
        if not isinstance(record, Chunk):
            raise self._fault("its index names a chunk that is not there")
        return list(_messages_in(_unpacked(record)))

    def _records(self) -> Iterator[McapRecord]:
        """Yield the records of the data section, with those of the chunks, until the end or the first fault."""
        with self._reading() as file:
            reader = StreamReader(file, emit_chunks=True, record_size_limit=MAX_RECORD_BYTES)
            try:
                for record in reader.records:
                    if isinstance(record, DataEnd):
                        return
                    if isinstance(record, Chunk):
                        yield from _broken_up(record)
                    else:
                        yield record
            except (EndOfFile, struct.error):
                self.problem = "it ends in the middle: its writer was killed, or the file was cut"

    def _check_header(self, file: Any) -> None:
        header = None
        with contextlib.suppress(InvalidMagic, EndOfFile, struct.error):
            header = next(StreamReader(file, record_size_limit=MAX_RECORD_BYTES).records, None)
        if not isinstance(header, Header):
            raise self._fault("it is no MCAP file")
        if header.profile != layout.PROFILE:
            by = f" (profile {header.profile!r}, written by {header.library!r})" if header.library else ""
            raise self._fault(f"it is no recording of this platform{by}")

    def _summary(self) -> Summary | None:
        """Return the index; None for a file that was not finished, or whose index was changed."""
        with self.path.open("rb") as file, contextlib.suppress(OSError, *_DAMAGES):
            summary = SeekingReader(file, record_size_limit=MAX_RECORD_BYTES).get_summary()
            return summary if _index_is_whole(file) else None
        return None

    def _about(self) -> About:
        for record in self._records():
            if isinstance(record, Metadata) and record.name == layout.ABOUT:
                return self._read_about(record.metadata)
        raise self._fault("it does not say what it is a recording of")

    def _read_about(self, fields: dict[str, str]) -> About:
        try:
            about = About.model_validate(fields)
        except ValidationError:
            raise self._fault("its metadata is malformed") from None
        if about.version > layout.VERSION:
            later = f"version {about.version}, written by {about.product}"
            raise self._fault(f"it is of {later} (this one reads up to {layout.VERSION})")
        return about

    def _fault(self, problem: str) -> RecordingError:
        return RecordingError(f"{self.path}: {problem}")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Any]:
        """Open the file; a fault in it is a RecordingError in one line."""
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            raise self._fault(str(error.strerror or error)) from None
        except _DAMAGES as error:
            if isinstance(error, RecordingError):
                raise
            text = " ".join(str(error).split())[:200]
            raise self._fault(f"it is damaged: {text or type(error).__name__}") from None


def _index_is_whole(file: Any) -> bool:
    """Return whether the checksum of the index is right: mcap does not look at it."""
    file.seek(-_FOOTER_BYTES, os.SEEK_END)
    begin, _, checksum = struct.unpack("<9xQQL8x", file.read(_FOOTER_BYTES))
    end = file.tell() - _CHECKSUM_BYTES
    file.seek(begin)
    return bool(zlib.crc32(file.read(end - begin)) == checksum)


def _check_size(chunk: Chunk) -> None:
    """Refuse a small chunk that claims to be huge, before it is unpacked, and one that is packed in another way."""
    if chunk.compression not in {"", "zstd"}:
        raise ValueError(f"a chunk compressed by {chunk.compression[:20]!r} (expected zstd)")
    sizes = [chunk.uncompressed_size]
    if chunk.compression:
        sizes.append(zstandard.frame_content_size(chunk.data))
    if max(sizes) > MAX_RECORD_BYTES:
        raise ValueError(f"a chunk of {max(sizes)} bytes (expected at most {MAX_RECORD_BYTES})")


def _broken_up(chunk: Chunk) -> list[McapRecord]:
    """Return the records of a chunk."""
    _check_size(chunk)
    records: list[McapRecord] = breakup_chunk(chunk, validate_crc=True)
    return records


def _unpacked(chunk: Chunk) -> bytes:
    """Return the records of a chunk, as bytes."""
    _check_size(chunk)
    data = zstandard.decompress(chunk.data, chunk.uncompressed_size) if chunk.compression else bytes(chunk.data)
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("the checksum of a chunk is wrong")
    return data


def _messages_in(records: bytes) -> Iterator[McapMessage]:
    """Yield the messages among records: mcap reads each field by itself, which takes five times as long."""
    at, end = 0, len(records)
    while at < end:
        opcode, size = _RECORD.unpack_from(records, at)
        at += _RECORD.size
        if size > end - at:
            raise ValueError("a record is longer than its chunk")
        if opcode == _IS_MESSAGE:
            if size < _MESSAGE.size:
                raise ValueError("a message is shorter than its fields")
            channel, sequence, log_time, publish_time = _MESSAGE.unpack_from(records, at)
            data = records[at + _MESSAGE.size : at + size]
            yield McapMessage(channel, log_time, data, publish_time, sequence)
        at += size


def _withdrawn(channel: Channel, number: int, sequence: int, withdrawals: list[Withdrawal]) -> bool:
    stream = channel.metadata.get("stream")
    return any(one.stream == stream and sequence > one.behind and number < one.before for one in withdrawals)
