"""Real processes for tests: a broker and services, to start, stop and kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from qiki_harness.cli.options import compose_file
from qiki_harness.environment import ONE_BLAS_THREAD, base_environment
from qiki_harness.errors import StartFailedError
from qiki_harness.forks.warm import ForkedService, warm_service
from qiki_harness.http import open_url
from qiki_harness.stack.ports import PortLocks, free_range
from qiki_harness.stack.runfolder import user_folder
from qiki_harness.testing.wait import until

SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
_SERVICE = Path(__file__).parents[3] / "services/nats"
CONFIGURATION = _SERVICE / "nats.conf"
STOP_S = 10.0
_COVERAGE = ("COVERAGE_", "COV_")


class _LoggedProcess:
    """A process that appends its output to a log.

    `settings` are its variables, beside what a stack's services inherit and what measures coverage.
    """

    def __init__(self, command: Sequence[str], log: Path, settings: Mapping[str, object]) -> None:
        self._command = command
        coverage = {name: value for name, value in os.environ.items() if name.startswith(_COVERAGE)}
        given = {name: str(value) for name, value in settings.items()}
        self._environment = base_environment(os.environ) | coverage | given
        self.log = log
        self._process: subprocess.Popen[bytes] | ForkedService | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; does not wait."""
        with self.log.open("ab") as log:
            self._process = self._forked(log.fileno()) or subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log
            )

    def _forked(self, output: int) -> ForkedService | None:  # noqa: ARG002
        """Fork the process from one that has imported what it needs; None if there is none."""
        return None

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Broker(_LoggedProcess):
    """The locked NATS server on free ports; its ports and its store, with the log, outlive its process.

    `watched`: with the watcher that it has in a stack.
    """

    def __init__(
        self,
        store_dir: Path,
        configuration: Path = CONFIGURATION,
        host: str = "127.0.0.1",
        *,
        log: Path | None = None,
        watched: bool = False,
    ) -> None:
        self._locks = PortLocks(user_folder() / "ports", f"a test's broker in {store_dir}")
        self._port, self._http_port, self._ws_port = (self._reserve() for _ in range(3))
        settings = {
            "NATS_LISTEN_HOST": host,
            "NATS_PORT": self._port,
            "NATS_HTTP_PORT": self._http_port,
            "NATS_WS_PORT": self._ws_port,
        }
        launcher = [sys.executable, "-IS", str(_SERVICE / "server.py")] if watched else []
        command = [*launcher, str(SERVER), "-c", str(configuration), "--store_dir", str(store_dir)]
        super().__init__(command, log or store_dir / "nats-server.log", settings)

    @property
    def url(self) -> str:
        """Its address for clients."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def http_url(self) -> str:
        """The address of its monitoring."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def ws_url(self) -> str:
        """The address of its WebSocket listener, which it has with a stack's configuration."""
        return f"ws://127.0.0.1:{self._ws_port}"

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._locks.release()

    def start(self) -> None:
        """Start it on its store, and return when it accepts clients; StartFailedError if it ends instead."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        super().start()
        until("the broker to accept clients", self._accepts)

    def freeze(self) -> None:
        """Stop its process: connections stay open, and nothing is read or answered until `thaw`."""
        if self._process is not None:
            self.signal(signal.SIGSTOP)
            os.waitpid(self._process.pid, os.WUNTRACED)  # until its last thread has stopped: they may answer till then

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self.signal(signal.SIGCONT)

    def restart(self) -> None:
        """Start it again on the same store and ports."""
        self.kill()
        self.start()

    def _accepts(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            words = self.log.read_text(errors="replace").splitlines()[-10:]
            raise StartFailedError("the broker ended at its start:\n" + "\n".join(words), last_words=tuple(words))
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0

    def _reserve(self) -> int:
        return next(port for port in free_range() if self._locks.take(port))


class ServiceProcess(_LoggedProcess):
    """`python -m MODULE`, or any other command as an argument list.

    A service of ours is forked where the tests have warm starts.
    """

    def __init__(self, command: str | Sequence[str], log: Path, **settings: object) -> None:
        super().__init__([sys.executable, "-m", command] if isinstance(command, str) else list(command), log, settings)
        self._module = command if isinstance(command, str) else None
        self._environment = ONE_BLAS_THREAD | self._environment
        self._from = 0

    def start(self) -> None:
        """Start it; does not wait."""
        self._from = self.log.stat().st_size if self.log.exists() else 0
        super().start()

    def _forked(self, output: int) -> ForkedService | None:
        return warm_service(compose_file(None), self._module, self._environment, output) if self._module else None

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
        self.signal(signal.SIGTERM)
        return self.wait(STOP_S)

    def wait(self, deadline_s: float = 60.0) -> int:
        """Wait for its end and return its exit status."""
        if self._process is None:
            raise StartFailedError("the service was not started")
        return self._process.wait(deadline_s)

    def _started(self) -> dict[str, Any] | None:
        if self._process is not None and self._process.poll() is not None:
            raise StartFailedError(f"{self._command[-1]} ended:\n{self.words()}", last_words=(self.words(),))
        return self.said("started")
