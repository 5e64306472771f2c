"""Requests to a stack's supervisor over its socket, a JSON line each way."""

import json
import socket
from pathlib import Path
from typing import Any, Self

from qiki_harness.errors import DeadlineError, StackError

_REQUEST_S = 60.0


class Control:
    """A connection to a supervisor; a context manager closes it.

    Raises:
        StackError: the supervisor is not there, or refuses.
        DeadlineError: it does not answer.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_REQUEST_S)
        self._answers = self._socket.makefile("rb")
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self.close()
            raise _gone(error) from error

    def ask(self, do: str, **words: str) -> dict[str, Any]:
        """Send a request and wait until it is done."""
        try:
            self._socket.sendall(json.dumps({"do": do, **words}).encode() + b"\n")
            return self._answer()
        except TimeoutError as error:
            raise DeadlineError(f"no answer to {' '.join([do, *words.values()])} within {_REQUEST_S:g} s") from error
        except OSError as error:
            raise _gone(error) from error

    def finish(self) -> dict[str, Any]:
        """Say that no more is asked for; return the last answer."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            return self._answer()
        except OSError as error:
            raise _gone(error) from error

    def close(self) -> None:
        """Disconnect."""
        self._answers.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self) -> dict[str, Any]:
        if not (line := self._answers.readline()):
            raise StackError("the stack's supervisor ended before it answered")
        answer: dict[str, Any] = json.loads(line)
        if refusal := answer.get("error"):
            raise StackError(refusal)
        return answer


class Hold:
    """A share in a stack that is tied to its starter: it runs on until its starter and all holders have ended.

    A holder that is killed counts as one that has left.
    """

    def __init__(self, path: Path) -> None:
        self._control = Control(path)
        try:
            self._control.ask("hold")
        except BaseException:
            self._control.close()
            raise

    def leave(self) -> bool:
        """Leave; return whether that was the last holder, so that the stack stops."""
        with self._control as control:
            return bool(control.finish()["left"] == 0)


def _gone(error: OSError) -> StackError:
    return StackError(f"the stack's supervisor is not there: {error.strerror}")
