"""The locked NATS server with the platform's configuration, on free ports: to start, kill and start again."""

import os
import signal
import socket
import subprocess
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Self

from qiki_harness.errors import StartFailedError
from qiki_harness.stack.ports import PortLocks, free_range
from qiki_harness.stack.runfolder import user_folder
from qiki_harness.testing.wait import until

SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
CONFIGURATION = Path(__file__).parents[3] / "services/nats/nats.conf"


class Broker:
    """A NATS server whose store and ports outlive its process.

    Args:
        store_dir: JetStream's files and the server's log
        configuration: which file it reads
    """

    def __init__(self, store_dir: Path, configuration: Path = CONFIGURATION) -> None:
        self._store_dir = store_dir
        self._configuration = configuration
        self._locks = PortLocks(user_folder() / "ports", f"a test's broker in {store_dir}")
        self._port, self._http_port = self._reserve(), self._reserve()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address for clients."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def http_url(self) -> str:
        """The address of its monitoring."""
        return f"http://127.0.0.1:{self._http_port}"

    @property
    def log(self) -> Path:
        """Its log."""
        return self._store_dir / "nats-server.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._locks.release()

    def start(self) -> None:
        """Start it on its store, and return when it accepts clients.

        Raises:
            StartFailedError: it ended; with the last lines of its log.
        """
        self._store_dir.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "NATS_LISTEN_HOST": "127.0.0.1",
            "NATS_PORT": str(self._port),
            "NATS_HTTP_PORT": str(self._http_port),
        }
        command = [str(SERVER), "-c", str(self._configuration), "--store_dir", str(self._store_dir)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stderr=log)
        until("the broker to accept clients", self._accepts)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop its process: connections stay open, and nothing is read or answered until `thaw`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            os.waitpid(self._process.pid, os.WUNTRACED)  # until its last thread has stopped: they may answer till then

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

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
