"""The warm server's process: `python -m qiki_harness.forks.warmserver COMPOSE_FILE`, started by warm.py.

Its input is the connection to its starter; the end of that is its own.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qiki.errors import UserError
from qiki_harness.environment import differences
from qiki_harness.forks import child
from qiki_harness.forks.imports import changed
from qiki_harness.forks.kernel import close_all_but, die_with
from qiki_harness.forks.messages import receive, send
from qiki_harness.forks.preload import Preload, RefusedError
from qiki_harness.forks.safety import Safety
from qiki_harness.forks.server import give_up_streams
from qiki_harness.forks.title import take_title
from qiki_harness.stack import daemon

Program = Callable[[], None]
_SUPERVISORS = "qiki_harness.stack.stackrun"
_PLACE = "/nonexistent"  # of volumes: nothing is started on this reading of the file


def main() -> None:
    """Serve; in a supervisor's process, be the supervisor."""
    connection = socket.socket(fileno=os.dup(0))
    environ = dict(os.environ)
    said = give_up_streams(connection)
    server = WarmServer(connection, environ, said)
    server.load(Path(sys.argv[1]))
    run = server.serve()
    run()


class WarmServer:
    """Forks supervisors and single services, and tells their exit statuses."""

    def __init__(self, connection: socket.socket, environ: dict[str, str], said: int) -> None:
        self.preload = Preload(environ)
        self._environ = environ
        self._said = said
        self._connection = connection
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        self._safety = Safety()
        self._channels: dict[int, tuple[int, socket.socket]] = {}

    def load(self, compose_file: Path) -> None:
        """Import what supervisors and the services of this compose file need; end if that leaves anything unsafe."""
        self.preload.begin()
        importlib.import_module(_SUPERVISORS)
        sys.path.insert(0, str(compose_file.parent))
        try:
            modules, environment = services(compose_file, self._environ)
            self.preload.add(modules, environment)
        except UserError:  # the supervisor says so
            pass
        while self.preload.pending:
            self.preload.step()
        sys.path.pop(0)
        self._files = self.preload.imports.files(self.preload.imports.closure([_SUPERVISORS]))
        # Each supervisor's own fork server could not see it any more.
        own = {0, 1, 2, self._connection.fileno(), self._said}
        if self._safety.fault(own) or os.fstat(self._said).st_size:
            sys.exit(1)
        gc.collect()
        gc.freeze()

    def serve(self) -> Program:
        """Serve until the starter is gone. Returns in a forked process only, with what that has to run."""
        while True:
            asked = self._connection.fileno()
            readable: list[int] = select.select([asked, *self._channels], [], [])[0]
            for descriptor in self._channels.keys() & {*readable}:
                self._tell(descriptor)
            if asked in readable:
                request, descriptors = receive(self._connection)
                if request is None:
                    os._exit(0)
                if program := self._answer(request, descriptors):
                    return program

    def _answer(self, request: dict[str, Any], descriptors: list[int]) -> Program | None:
        *streams, channel = descriptors
        told = socket.socket(fileno=channel)
        try:
            program = self._service(request) if "module" in request else self._supervisor(request)
            self._check_safety(descriptors)
            pid = os.fork()
        except (RefusedError, OSError) as refusal:
            pid = None
            send(told, {"refused": str(refusal)})
        if pid == 0:
            self._become(request, streams, told)
            return program
        for descriptor in streams:
            os.close(descriptor)
        if pid is None:
            told.close()
            return None
        descriptor = os.pidfd_open(pid)
        send(told, {"pid": pid}, [descriptor])
        self._channels[descriptor] = pid, told
        return None

    def _supervisor(self, request: dict[str, Any]) -> Program:
        if names := differences(self._environ, request["environment"]):
            raise RefusedError(f"the environment differs in {', '.join(names)}")
        if file := changed(self._files):
            raise RefusedError(f"{file} has changed")

        def supervise() -> None:
            child.open_streams()
            take_title(["python", "-P", "-m", "qiki_harness.stack.daemon"], "qiki-stack")
            daemon.main(self.preload)

        return supervise

    def _service(self, request: dict[str, Any]) -> Program:
        module, folder = request["module"], request["folder"]
        if not self.preload.knows(module):
            raise RefusedError(f"{module} is no service of its compose file")
        imported = self.preload.check(module, request["environment"], folder)
        service = child.ServiceMain(module, (), folder, imported.modules, self.preload)
        server = os.getpid()

        def serve() -> None:
            die_with(server)
            sys.path.insert(0, folder)
            service.prepare()
            service.run()

        return serve

    def _check_safety(self, given: list[int]) -> None:
        channels = {told.fileno() for _, told in self._channels.values()}
        own = {0, 1, 2, self._connection.fileno(), self._said, *given, *self._channels, *channels}
        if fault := self._safety.fault(own, children=True):
            raise RefusedError(fault)

    def _become(self, request: dict[str, Any], streams: list[int], told: socket.socket) -> None:
        os.setsid()
        given, output = streams
        child.take_streams(given, output, output)
        self._connection.detach()
        told.detach()
        for _, other in self._channels.values():
            other.detach()
        close_all_but()
        child.default_signals(self._mask)
        child.take_environment(request["environment"])
        os.chdir(request["folder"])

    def _tell(self, descriptor: int) -> None:
        pid, told = self._channels.pop(descriptor)
        os.close(descriptor)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            send(told, {"status": status})
        except OSError:  # the starter no longer asks
            pass
        finally:
            told.close()


def services(file: Path, environ: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the modules of a compose file's services in their order, and the variables that all have."""
    from qiki_harness.compose import ComposeFile  # noqa: PLC0415  # recorded as an import of the supervisor
    from qiki_harness.forks.link import shared_environment  # noqa: PLC0415

    compose = ComposeFile(file)
    native = compose.native_variables(Path(_PLACE), {port.variable: 0 for port in compose.ports})
    project = compose.project({**compose.dotenv(), **environ, **native}, environ)
    mine = [one for one in project.services.values() if one.command[:2] == ("python", "-m")]
    return [one.command[2] for one in mine], shared_environment(mine)


if __name__ == "__main__":
    main()
