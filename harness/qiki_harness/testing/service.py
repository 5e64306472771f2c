"""A service as a process of its own, for a test to start, stop and kill."""

import json
import os
import subprocess
import sys
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from qiki_harness.errors import StartFailedError
from qiki_harness.http import open_url
from qiki_harness.testing.wait import until

STOP_S = 10.0


class ServiceProcess:
    """`python -m MODULE` or any other command, with its log in a file.

    Args:
        command: module name, or the whole argument list
        log: file that its output is appended to
        settings: environment variables beside the test's own
    """

    def __init__(self, command: str | Sequence[str], log: Path, **settings: object) -> None:
        self._command = [sys.executable, "-m", command] if isinstance(command, str) else list(command)
        self._environment = os.environ | {name: str(value) for name, value in settings.items()}
        self.log = log
        self._from = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; does not wait."""
        self._from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def words(self) -> str:
        """Return the log since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._from)
            return log.read().decode(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return its structured log since its last start."""
        return [json.loads(line) for line in self.words().splitlines() if line.startswith("{")]

    def said(self, event: str) -> dict[str, Any] | None:
        """Return the first line of its log about `event`."""
        return next((line for line in self.lines() if line.get("event") == event), None)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page of its health server; status 0 without an answer."""
        try:
            with open_url(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def http_port(self) -> int:
        """The port of its health server."""
        return int(until("the service to listen", self._started)["http_port"])

    def ready(self) -> Self:
        """Wait until it is ready."""
        until(f"{self._command[-1]} to be ready:\n{self.words()}", lambda: self.get("/readyz")[0] == 200)
        return self

    def terminate(self) -> int:
        """Ask it to stop and return its exit status."""
        if self._process is None:
            raise StartFailedError("the service was not started")
        self._process.terminate()
        return self.wait(STOP_S)

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self, deadline_s: float = 60.0) -> int:
        """Wait for its end and return its exit status."""
        if self._process is None:
            raise StartFailedError("the service was not started")
        return self._process.wait(deadline_s)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _started(self) -> dict[str, Any] | None:
        if self._process is not None and self._process.poll() is not None:
            raise StartFailedError(f"{self._command[-1]} ended:\n{self.words()}", last_words=(self.words(),))
        return self.said("started")
