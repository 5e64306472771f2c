"""Requests to a running supervisor, from other processes: one JSON line each way over its socket."""

import json
import socket
from pathlib import Path

from qiki_harness.errors import DeadlineError, StackError


def request(path: Path, timeout_s: float, **words: str) -> None:
    """Send a request to a supervisor and wait until it is done.

    Raises:
        StackError: it refused, or is not there.
        DeadlineError: it did not answer in time.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps(words).encode() + b"\n")
            reply = connection.makefile("rb").readline()
        except TimeoutError as error:
            raise DeadlineError(f"no answer to {' '.join(words.values())} within {timeout_s:g} s") from error
        except OSError as error:
            raise StackError(f"the stack's supervisor is not there: {error.strerror}") from error
    if not reply:
        raise StackError("the stack's supervisor ended before it answered")
    if refusal := json.loads(reply).get("error"):
        raise StackError(refusal)
