"""The folder of one stack: `stack.json`, `logs/SERVICE.log`, `data/`, and the lock that its supervisor holds."""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from qiki.files import write_atomically
from qiki.text import printable
from qiki_harness.errors import StackError
from qiki_harness.stack.model import StackInfo

_LONGEST_SOCKET_PATH = 100  # bytes; the systems' limits are 104 and 108
_LOCK_TRIES, _LOCK_PAUSE_S = 5, 0.01  # `alive` holds the lock for an instant
_TAIL_BYTES = 65_536
_PRIVATE = 0o700


def user_folder() -> Path:
    """Return this user's folder for what is the machine's: port locks, sockets of deep run folders.

    It is not in TMPDIR: shells differ in that (`nix develop` sets it), and ports are the machine's.
    """
    return private_folder(Path(f"/tmp/qiki-{os.getuid()}"))  # noqa: S108


def private_folder(folder: Path) -> Path:
    """Make a folder of this user alone, or check that it is one; StackError if others may use it."""
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise StackError(f"{folder}: cannot be used ({error.strerror}); remove it") from None
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    # Only its owner can put another in its place: /tmp is sticky.
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise StackError(f"{folder}: others may have files in it (expected yours alone, mode 0700); remove it")
    return folder


class RunFolder:
    """Paths of one stack.

    Attributes:
        info_file: the status of the stack, for other programs
        data: the folder of the named volumes, which outlive the stack as the engine's do
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info_file = path / "stack.json"
        self.logs = path / "logs"
        self.data = path / "data"
        self._lock_file = path / "supervisor.lock"

    def log(self, source: str) -> Path:
        """Return the log of one service, or of the supervisor (`qiki`)."""
        return self.logs / f"{source}.log"

    def keys(self, identity: str) -> Path:
        """Return the folder of the credentials of one of the stack's identities."""
        return self.data / f"keys-{identity}"

    @property
    def control(self) -> Path:
        """The supervisor's socket: here, or elsewhere where this path is too long for a socket."""
        here = self.path / "control.sock"
        if len(os.fsencode(here)) <= _LONGEST_SOCKET_PATH:
            return here
        return user_folder() / f"{hashlib.sha256(os.fsencode(here)).hexdigest()[:16]}.sock"

    def write(self, info: StackInfo) -> None:
        """Write `stack.json` whole or not at all."""
        write_atomically(self.info_file, json.dumps(info.to_json(), indent=1).encode())

    def read(self) -> StackInfo | None:
        """Return the content of `stack.json`; None where there was never a stack."""
        try:
            return StackInfo.from_json(json.loads(self.info_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise StackError(f"{self.info_file}: is not of this version of qiki: remove it ({error!r})") from error

    def lock(self) -> int:
        """Make the folder and lock it for the life of this process; refuse a second one."""
        try:
            self.path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self.path.chmod(_PRIVATE)  # an earlier one may be open to others: its files become unreachable
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(f"{error.filename}: cannot be used: {error.strerror}") from error
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOCK_PAUSE_S)
            else:
                return descriptor
        os.close(descriptor)
        raise StackError(f"a stack runs already in {self.path}")

    @property
    def alive(self) -> bool:
        """True while a supervisor holds the lock. Its pid would not do: another process may have it by now."""
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StackError(f"{error.filename}: cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def say(text: str) -> None:
    """Write a line, or lines, to the supervisor's log, where its output goes; without room there it is lost."""
    lines = "\n".join(map(printable, text.split("\n")))
    with contextlib.suppress(OSError):
        os.write(1, f"{time.strftime('%H:%M:%S')} {lines}\n".encode())


def last_words(log: Path, lines: int = 20) -> tuple[str, ...]:
    """Return the last lines of a log that are not blank."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple([line for line in text.splitlines() if line.strip()][-lines:]) if lines else ()


class LogFollower:
    """A reader of the lines that are added to several logs."""

    def __init__(self, logs: Iterable[Path]) -> None:
        self._places = {log: log.stat().st_size if log.exists() else 0 for log in logs}
        self._rests: dict[Path, bytes] = {}

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """Yield the lines since the last call, as (source, line)."""
        for log in self._places:
            for line in self._new(log):
                yield log.stem, line.decode(errors="replace")

    def _new(self, log: Path) -> list[bytes]:
        if not log.exists():
            return []
        with log.open("rb") as file:
            # A log that is shorter than before has been replaced.
            file.seek(self._places[log] if log.stat().st_size >= self._places[log] else 0)
            text = self._rests.get(log, b"") + file.read()
            self._places[log] = file.tell()
        *lines, self._rests[log] = text.split(b"\n")
        return lines
