"""The snapshot on disk: the trackers' state and the stream sequence that it covers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter

from qiki.errors import UserError
from qiki.files import make_folder, write_atomically

VERSION = 2
FAILED_WRITES = Counter("qiki_bridge_failed_writes_total", "Files that the disk or the folder refused", ["what"])
log = structlog.get_logger()


@dataclass(frozen=True)
class Snapshot:
    """State after every frame up to `sequence`."""

    stream: str  # time at which it was made; a snapshot of another one is of no use
    sequence: int
    stored: datetime | None  # time at which the frame at `sequence` was stored, if known
    runs: list[dict[str, Any]]  # of `Runs.snapshot`

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        stored = self.stored and self.stored.isoformat()
        content = {"stream": self.stream, "sequence": self.sequence, "stored": stored, "runs": self.runs}
        return json.dumps({"version": VERSION, **content}).encode()


class SnapshotFile:
    """One file in a folder, replaced as a whole; UserError if nothing can be written into the folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "tracker-snapshot.json"
        self._part = self._path.with_suffix(".part")
        self._fails = False
        try:
            make_folder(folder)
            self._part.touch()
            self._part.unlink()
        except OSError as error:
            raise UserError(f"QIKI_STATE_DIR: cannot write into {folder}: {error.strerror}") from None

    def write(self, content: bytes) -> None:
        """Replace the file: a reader sees the old one or the new one.

        On an error the old one stays. No acknowledgement depends on a snapshot: the next start reads on from its end,
        through acknowledged messages too, and an older snapshot only makes that longer.
        """
        try:
            write_atomically(self._path, content)
        except OSError as error:
            FAILED_WRITES.labels("snapshot").inc()
            if not self._fails:
                log.error("snapshot not written, the old one stays", path=str(self._path), reason=repr(error))
            self._fails = True
        else:
            if self._fails:
                log.info("snapshot written again", path=str(self._path))
            self._fails = False

    def read(self, stream: str, last_sequence: int) -> Snapshot | None:
        """Return the snapshot of this stream, or None where there is none to resume from."""
        try:
            content = json.loads(self._path.read_bytes())
            found = content["version"], content["stream"]
            stored = content["stored"] and datetime.fromisoformat(content["stored"]).astimezone(UTC)
            snapshot = Snapshot(stream, int(content["sequence"]), stored, content["runs"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, OverflowError) as error:
            log.error("snapshot unreadable, tracks begin again", path=str(self._path), reason=repr(error))
            return None
        if found != (VERSION, stream) or snapshot.sequence > last_sequence:
            log.warning("snapshot is of another stream or version, tracks begin again", path=str(self._path))
            return None
        return snapshot


class FailureNote:
    """A note on disk, for the next process, of the frame that the tracker failed on: then it becomes a dead letter."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "failed-on"
        self._noted = ""
        try:
            self._noted = self._path.read_text()
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.error("note of a failure unreadable", path=str(self._path), reason=repr(error))

    def write(self, stream: str, sequence: int) -> None:
        """Note the frame; where that fails, the next process fails on the frame too, and notes it then."""
        try:
            write_atomically(self._path, f"{stream} {sequence}".encode())
        except OSError as error:
            FAILED_WRITES.labels("failure").inc()
            log.error("failure not noted", path=str(self._path), reason=repr(error))

    def names(self, stream: str, sequence: int) -> bool:
        """Return whether it is this frame."""
        return self._noted == f"{stream} {sequence}"
