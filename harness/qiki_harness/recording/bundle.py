"""A failure's bundle: one file with the recordings of the twins that a test used, their logs, and how it failed.

Bundles are kept in one folder; the oldest make room for new ones.
"""

import re
import shutil
import tempfile
import time
import weakref
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from qiki.contracts.headers import Message
from qiki_harness.errors import RecordingError
from qiki_harness.recording.about import about, attachments
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.writer import RecordingWriter
from qiki_harness.twin.backing import NATS_URL, OwnStack
from qiki_harness.twin.records import Record
from qiki_harness.twin.watcher import Watcher

SUFFIX = ".qiki.zip"
KEPT, KEPT_BYTES = 20, 1 << 30
_FAILURE = "failure.txt"
_LONGEST_NAME = 80
_LOG_BYTES = 1 << 20
_MOST_BYTES = 16 << 30


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


def write_bundle(folder: Path, test: str, failure: str, twins: Iterable[Watcher]) -> Path:
    """Write the bundle of a failed test, and return its path.

    Raises:
        OSError, RecordingError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    module, _, function = test.partition("::")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", f"{Path(module).name}-{function}").strip("-")[:_LONGEST_NAME]
    path = folder / f"{stamp}-{slug}{SUFFIX}"
    part = path.with_suffix(".part")
    with tempfile.TemporaryDirectory(dir=folder) as work, zipfile.ZipFile(part, "w") as bundle:
        bundle.writestr(_FAILURE, f"{test}\n\n{failure}\n")
        for number, twin in enumerate(twins):
            recording = Path(work) / f"{number}.mcap"
            record_histories(twin, recording)
            bundle.write(recording, f"{number}/recording.mcap")
            for name, log in _logs(twin):
                bundle.writestr(f"{number}/logs/{name}", log, zipfile.ZIP_DEFLATED)
    part.replace(path)
    prune(folder)
    return path


def recordings(path: Path) -> list[Recording]:
    """Return the recordings of a bundle, or the one that a path names.

    Raises:
        RecordingError: it is neither.
    """
    if not zipfile.is_zipfile(path):
        return [Recording(path)]
    folder = Path(tempfile.mkdtemp(prefix="qiki-bundle-"))
    try:
        found = [Recording(one) for one in _unpack(path, folder)]
    except BaseException:
        shutil.rmtree(folder)
        raise
    if not found:
        shutil.rmtree(folder)
        raise RecordingError(f"{path}: it has no recording")
    weakref.finalize(found[0], shutil.rmtree, folder, ignore_errors=True)
    return found


def prune(folder: Path, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> list[Path]:
    """Remove the oldest files of a folder until so many, and so many bytes, are left; return what was removed.

    The newest one stays, however large it is. Files that are no recordings and no bundles are left alone.
    """
    newest_first = sorted((one for one in folder.glob("*") if one.name.endswith((SUFFIX, ".mcap"))), reverse=True)
    sizes = list(accumulate(one.stat().st_size for one in newest_first))
    removed = [one for place, one in enumerate(newest_first) if place and (place >= kept or sizes[place] > kept_bytes)]
    for one in removed:
        one.unlink(missing_ok=True)
    return removed


def _records(twin: Watcher) -> Iterator[Record[object]]:
    """Yield each record once: a history that another one has too is left out."""
    topics = twin.topics
    for topic in topics:
        if not any(other.covers(topic.subject) for other in topics if other is not topic):
            yield from twin.history(topic)


def _logs(twin: Watcher) -> Iterator[tuple[str, bytes]]:
    if isinstance(twin.backing, OwnStack):
        for log in sorted(twin.backing.stack.folder.logs.glob("*.log")):
            yield log.name, log.read_bytes()[-_LOG_BYTES:]


def _unpack(path: Path, folder: Path) -> Iterator[Path]:
    try:
        with zipfile.ZipFile(path) as bundle:
            members = [one for one in bundle.infolist() if re.fullmatch(r"\d+/recording\.mcap", one.filename)]
            if sum(one.file_size for one in members) > _MOST_BYTES:
                raise RecordingError(f"{path}: its recordings have more than {_MOST_BYTES >> 30} GiB")
            for number, member in enumerate(members):
                target = folder / f"{number}.mcap"
                with bundle.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
                yield target
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise RecordingError(f"{path}: it is damaged: {error}") from None
