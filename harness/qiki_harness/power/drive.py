"""A disk under a test: mounted on a folder, its power cut and restored."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

from qiki_harness.errors import HarnessError
from qiki_harness.power.disk import Names

END_S = 120.0


def lacking() -> str:
    """Return what this machine lacks to mount one; "" where it lacks nothing."""
    if not Path("/dev/fuse").exists():
        return "mounts a file system: takes /dev/fuse"
    if importlib.util.find_spec("mfusepy") is None:
        return "mounts a file system: takes mfusepy (scripts/setup dev)"
    if shutil.which("fusermount3") is None:
        return "mounts a file system: takes fuse3 (apt-get install fuse3)"
    return ""


class Drive:
    """A file system that forgets at a power failure what was not synced; it is in memory, and ends with the test."""

    def __init__(self, folder: Path, names: Names = Names.STRICT) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "qiki_harness.power.mount", str(folder), str(names)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)
        self._expect("mounted")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self, seed: int) -> None:
        """Cut the power: chance, from a seed, says what is left of what was not synced, and no operation succeeds."""
        self._ask(f"cut {seed}", "cut")

    def restore(self) -> None:
        """Mount it again, with what is left; processes that had a file open must have ended."""
        self._ask("on", "mounted")

    def counts(self) -> dict[str, int]:
        """Return the number of operations so far, by name."""
        self._tell("counts")
        pairs = (pair.split("=") for pair in self._line().split())
        return {name: int(count) for name, count in pairs}

    def close(self) -> None:
        """Unmount it, and forget all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(END_S)
        self._process.stdout.close()

    def _ask(self, command: str, answer: str) -> None:
        self._tell(command)
        self._expect(answer)

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def _expect(self, answer: str) -> None:
        if (line := self._line()) != answer:
            raise HarnessError(f"{self.folder}: cannot be mounted: {line or 'its process ended'}")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
