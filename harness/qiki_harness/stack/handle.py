"""`Stack`: start a stack, drive it, read it. The supervisor is a process of its own; this is its remote control."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Self, cast

from qiki_harness.errors import DeadlineError, StackError, StartFailedError
from qiki_harness.forks.warm import Supervisor, warm_supervisor
from qiki_harness.stack.control import Control, Hold
from qiki_harness.stack.model import StackInfo, StackOptions, StackState, State
from qiki_harness.stack.runfolder import RunFolder, last_words

# -P: a module of the folder that we happen to be in must not stand in for one of ours.
_DAEMON = [sys.executable, "-P", "-m", "qiki_harness.stack.daemon"]
_POLL_S = 0.02
_STOP_S = 60.0


class Stack:
    """A running stack: one started here, or any other by its run folder. A context manager stops it at the end."""

    def __init__(self, folder: Path, process: Supervisor | None = None) -> None:
        self.folder = RunFolder(folder.resolve())
        self._process = process

    @classmethod
    def start(cls, options: StackOptions, *, tied: bool = True) -> Self:
        """Start a stack and return as soon as it is known, before its services are up.

        A tied stack ends with this process, however that ends.

        Raises:
            StackError: a stack runs there already, or an option names what is not there.
            HarnessError: the compose file is wrong, or a port is taken.
        """
        options = replace(options, folder=options.folder.resolve(), compose_file=options.compose_file.resolve())
        process = warm_supervisor(options.compose_file) or _execute()
        try:
            refusal = _hand_over(process, options, tied=tied)
        except BaseException:
            # Interrupted: what was half begun must not go on by itself.
            process.terminate()
            process.wait()
            raise
        if refusal:
            process.wait()
            raise _refused(refusal)
        return cls(options.folder, process)

    @property
    def info(self) -> StackInfo:
        """The status of the stack; StackError if there was never one."""
        if info := self.folder.read():
            return info
        raise StackError(f"no stack in {self.folder.path}: start one with `qiki up`")

    @property
    def alive(self) -> bool:
        """True while its supervisor runs."""
        return self.folder.alive

    def wait_healthy(self, deadline_s: float = 60.0, watch: Callable[[StackInfo], None] = lambda _: None) -> StackInfo:
        """Wait until every service is ready; `watch` sees each status. StartFailedError if one did not come up."""

        def ready(info: StackInfo) -> bool:
            watch(info)
            # Once a stack is up, a service waits only for what the user runs himself.
            return info.state is StackState.UP and all(
                status.ready or status.state in {State.EXTERNAL, State.WAITING} for status in info.services.values()
            )

        return self.wait_until("all services are ready", ready, deadline_s)

    def wait_until(self, what: str, condition: Callable[[StackInfo], bool], deadline_s: float) -> StackInfo:
        """Wait for a condition on the stack, named for the message of a failure."""
        end = time.monotonic() + deadline_s
        while not condition(info := self.info):
            if info.failure:
                raise StartFailedError(info.failure.message, info.failure.exit_status, info.failure.last_words)
            if not self.alive:
                words = " | ".join(last_words(self.folder.log("qiki"), 3)) or "none"
                raise StackError(f"waited until {what}, but the stack's supervisor has ended; its last words: {words}")
            if time.monotonic() > end:
                raise self._late(f"waited {deadline_s:g} s until {what}", info)
            time.sleep(_POLL_S)
        return info

    def restart(self, service: str) -> None:
        """Stop a service with its grace, start it, wait until it is ready."""
        self._request("restart-service", service=service)

    def stop_service(self, service: str) -> None:
        """Stop a service; it stays so until `start_service`."""
        self._request("stop-service", service=service)

    def start_service(self, service: str) -> None:
        """Start a service that was stopped, and wait until it is ready."""
        self._request("start-service", service=service)

    def kill(self, service: str, signal: Signals = SIGKILL) -> None:
        """Send a signal to a service's process; its restart policy acts on its death.

        After SIGKILL its death is known: `wait_healthy` then waits for the next life.
        """
        self._request("signal-service", service=service, signal=str(int(signal)))

    def logs(self, service: str, lines: int = 1000) -> tuple[str, ...]:
        """Return the last lines of a service's log."""
        return last_words(self.folder.log(service), lines)

    def hold(self) -> Hold:
        """Hold a tied stack, so that it does not end with its starter; StackError if it is ending already."""
        return Hold(self.folder.control)

    def release(self) -> None:
        """Untie the stack from this process, its starter."""
        if process := self._process:
            process.stdin.close()
            process.abandon()
            self._process = None

    def request_stop(self) -> None:
        """Tell the stack to stop, in order and with grace, and do not wait."""
        self._request("stop")

    def request_kill(self) -> None:
        """Tell the stack to end at once, and do not wait."""
        self._request("kill")

    def stop(self, deadline_s: float = _STOP_S) -> None:
        """Stop the stack and wait until nothing of it is left; DeadlineError if it had to be killed."""
        # It may have ended by itself, between any two steps.
        with contextlib.suppress(StackError):
            self.request_stop()
        try:
            self.wait_ended(deadline_s)
        except DeadlineError:
            with contextlib.suppress(StackError):
                self.request_kill()
            self.wait_ended(deadline_s)
            raise

    def wait_ended(self, deadline_s: float) -> int | None:
        """Wait for the supervisor's end; return its exit status, if we started it."""
        end = time.monotonic() + deadline_s
        while self.alive:
            if time.monotonic() > end:
                raise self._late(f"waited {deadline_s:g} s until the stack ends", self.info)
            time.sleep(_POLL_S)
        if not self._process:
            return None
        self._process.stdin.close()
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _request(self, do: str, **words: str) -> None:
        with Control(self.folder.control) as control:
            control.ask(do, **words)

    def _late(self, headline: str, info: StackInfo) -> DeadlineError:
        late = [status for status in info.services.values() if not status.ready]
        lines = [f"  {status}" for status in info.services.values()]
        for status in late[:2]:
            lines += [f"  {status.name} | {line}" for line in last_words(Path(status.log), 5)]
        return DeadlineError(f"{headline}: the stack is {info.state}", *lines, f"  all logs: {self.folder.logs}")


class _Executed(subprocess.Popen[bytes]):
    """A supervisor that was started by exec."""

    def abandon(self) -> None:
        """Wait for its end no more; Python would warn that it still runs."""
        self.returncode = 0


def _execute() -> Supervisor:
    pipe = subprocess.PIPE
    process = _Executed(_DAEMON, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True)
    return cast("Supervisor", process)


def _hand_over(process: Supervisor, options: StackOptions, *, tied: bool) -> str:
    """Give a supervisor its options and wait until it has made `stack.json`; return its refusal, if any."""
    process.stdin.write(json.dumps({"tied": tied, "options": options.to_json()}).encode() + b"\n")
    process.stdin.flush()
    with process.stdout as output:
        refusal = output.read().decode(errors="replace")
    if not tied or refusal:
        process.stdin.close()
    return refusal


def _refused(output: str) -> Exception:
    try:
        return StackError(json.loads(output)["error"])
    except (ValueError, KeyError, TypeError):
        return RuntimeError(f"the supervisor broke:\n{output}")
