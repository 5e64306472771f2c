"""A failure's bundle: one file with the recordings of the stacks that it is about, their logs, and how it failed.

Bundles are kept in one folder; the oldest make room for new ones.
"""

import re
import shutil
import tempfile
import time
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from qiki.contracts.headers import Message
from qiki_harness.errors import RecordingError
from qiki_harness.recording.about import about, attachments
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.recorder import Recorder
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.stack import Stack
from qiki_harness.twin.backing import NATS_URL, OwnStack
from qiki_harness.twin.records import Record
from qiki_harness.twin.watcher import Watcher

SUFFIX = ".qiki.zip"
KEPT, KEPT_BYTES = 20, 1 << 30
_STAMPED = re.compile(r"\d{8}T\d{6,12}Z-")
_FAILURE = "failure.txt"
_LONGEST_NAME = 80
_LOG_BYTES = 1 << 20
_READ_S = 60.0
_MOST_BYTES = 16 << 30


@dataclass(frozen=True)
class Exhibit:
    """A stack in a bundle.

    Attributes:
        record: writes its recording into a new file
        logs: their last parts, by file name
    """

    record: Callable[[Path], object]
    logs: Mapping[str, bytes]


def exhibit_of(twin: Watcher) -> Exhibit:
    """Return what a twin knows: its histories, and the logs of a stack of its own."""
    logs = logs_of(twin.backing.stack) if isinstance(twin.backing, OwnStack) else {}
    return Exhibit(lambda path: record_histories(twin, path), logs)


def logs_of(stack: Stack) -> dict[str, bytes]:
    """Return the last parts of the logs of a native stack."""
    return {log.name: _end_of(log) for log in sorted(stack.folder.logs.glob("*.log"))}


def _end_of(log: Path) -> bytes:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        return file.read(_LOG_BYTES)


def record_kept(url: str, keys: str | None, path: Path) -> None:
    """Record all that the streams of a stack keep now.

    Args:
        keys: folder of the credentials, an operator's or the tests'

    Raises:
        HarnessError: NATS does not answer, or the file cannot be written.
    """
    writer = RecordingWriter(path, about(url, None), attachments(None))
    with Recorder(writer, url, keys, everything=True) as recorder:
        recorder.catch_up(_READ_S)


def record_histories(twin: Watcher, path: Path) -> None:
    """Record all that the histories of a twin hold.

    Raises:
        RecordingError: the file exists already, or cannot be written.
    """
    source = twin.backing.addresses.get(NATS_URL, "")
    offset_s = time.time() - time.monotonic()
    with RecordingWriter(path, about(source, None), attachments(None)) as writer:
        for record in sorted(_records(twin), key=lambda one: one.came_s):
            message = Message(record.subject, record.body, record.headers)
            writer.put(message, record.sequence, round((record.came_s + offset_s) * 1e9))


def write_bundle(folder: Path, test: str, failure: str, exhibits: Iterable[Exhibit]) -> Path:
    """Write the bundle of a failed test, or of what else failed, and return its path.

    Raises:
        OSError, RecordingError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    module, _, function = test.partition("::")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{Path(module).name}-{function}").strip("-")[:_LONGEST_NAME]
    path = folder / f"{stamp}-{slug}{SUFFIX}"
    with tempfile.TemporaryDirectory(dir=folder) as work:
        part = Path(work) / "bundle"
        _write(part, Path(work), f"{test}\n\n{failure}\n", exhibits)
        part.replace(path)
    prune(folder, suffixes=(SUFFIX,))
    return path


def _write(part: Path, work: Path, failure: str, exhibits: Iterable[Exhibit]) -> None:
    with zipfile.ZipFile(part, "w") as bundle:
        bundle.writestr(_FAILURE, failure)
        for number, exhibit in enumerate(exhibits):
            recording = work / f"{number}.mcap"
            exhibit.record(recording)
            bundle.write(recording, f"{number}/recording.mcap")
            for name, log in exhibit.logs.items():
                bundle.writestr(f"{number}/logs/{name}", log, zipfile.ZIP_DEFLATED)


def recordings(path: Path) -> list[Recording]:
    """Return the recordings of a bundle, or the one that a path names.

    Raises:
        RecordingError: it is neither.
    """
    if not zipfile.is_zipfile(path):
        return [Recording(path)]
    folder = _Folder()
    found = [Recording(one) for one in _unpack(path, folder.path)]
    for one in found:
        one.folder = folder
    if not found:
        raise RecordingError(f"{path}: it has no recording")
    return found


def prune(
    folder: Path,
    kept: int = KEPT,
    kept_bytes: int = KEPT_BYTES,
    suffixes: tuple[str, ...] = (SUFFIX, ".mcap"),
) -> list[Path]:
    """Remove the oldest files until so many, and so many bytes, are left; return what was removed.

    Only files whose names begin with their time, as those that are named here, are removed. The newest one stays,
    however large it is.
    """
    named = [one for one in folder.glob("*") if _STAMPED.match(one.name) and one.name.endswith(suffixes)]
    newest_first = sorted((one for one in named if one.is_file() and not one.is_symlink()), reverse=True)
    sizes = list(accumulate(_size(one) for one in newest_first))
    removed = [one for place, one in enumerate(newest_first) if place and (place >= kept or sizes[place] > kept_bytes)]
    for one in removed:
        one.unlink(missing_ok=True)
    return removed


class _Folder:
    """A temporary folder, removed with its last user."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="qiki-bundle-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # somebody else was faster
        return 0


def _records(twin: Watcher) -> Iterator[Record[object]]:
    """Yield each record once: a history that another one has too is left out."""
    topics = twin.topics
    for topic in topics:
        if not any(other.covers(topic.subject) for other in topics if other is not topic):
            yield from twin.history(topic)


def _unpack(path: Path, folder: Path) -> Iterator[Path]:
    try:
        with zipfile.ZipFile(path) as bundle:
            members = [one for one in bundle.infolist() if re.fullmatch(r"\d+/recording\.mcap", one.filename)]
            if sum(one.file_size for one in members) > _MOST_BYTES:
                raise RecordingError(f"{path}: its recordings have more than {_MOST_BYTES >> 30} GiB")
            for number, member in enumerate(members):
                target = folder / f"{number}.mcap"
                if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                    raise RecordingError(f"{path}: it is packed in a way that is not read")
                with bundle.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                yield target
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise RecordingError(f"{path}: it is damaged: {error}") from None
