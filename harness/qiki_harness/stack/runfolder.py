"""The folder of one stack: `stack.json`, `logs/SERVICE.log`, `data/`, and the lock that its supervisor holds."""

import fcntl
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from qiki.runtime.files import write_atomically
from qiki_harness.errors import StackError
from qiki_harness.stack.status import StackInfo

_LONGEST_SOCKET_PATH = 100  # bytes; the systems' limits are 104 and 108

# `alive` holds the lock for an instant.
_LOCK_TRIES = 5
_LOCK_PAUSE_S = 0.01


def user_folder() -> Path:
    """A folder of this user for what whole machines share: port locks, sockets of deep run folders.

    It is not in TMPDIR: shells differ in that (`nix develop` sets it), and ports are the machine's.
    """
    folder = Path(f"/tmp/qiki-{os.getuid()}")  # noqa: S108  # made private below, and checked
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise StackError(f"{folder}: belongs to another user; remove it")
    folder.chmod(0o700)  # an earlier one may be open to others
    return folder


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one stack."""

    path: Path

    @property
    def info_file(self) -> Path:
        """The status of the stack, for other programs."""
        return self.path / "stack.json"

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """The folder of the named volumes, which outlive the stack as the engine's do."""
        return self.path / "data"

    def log(self, source: str) -> Path:
        """The log of one service, or of the supervisor (`qiki`)."""
        return self.logs / f"{source}.log"

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
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
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
            descriptor = os.open(self.path / "supervisor.lock", os.O_RDWR)
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
