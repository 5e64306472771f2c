"""The supervisor's process: `python -m qiki_harness.stack.daemon`, started by `Stack.start`.

Its input is a line of options; after that, where the stack is tied to its starter, the input's end is the starter's
end. Such a stack stops when its starter and all others that hold it have ended. Its output stays open until the stack
is known (`stack.json` is there) or refused, and holds the refusal.
"""

import gc
import json
import os
import sys
from typing import TYPE_CHECKING

from qiki_harness.forks.kernel import can_fork
from qiki_harness.forks.server import Connected, fork_server
from qiki_harness.stack.model import EXEC, START, StackOptions

if TYPE_CHECKING:
    from qiki_harness.forks.preload import Preload

_INPUT = 0
_MASK = 0o077


def main(preload: "Preload | None" = None) -> None:
    """Fork the fork server, before anything is held or imported that it should not have, and run the stack."""
    tied, options = _read_options()
    os.umask(_MASK)  # the services have it too: logs, stores, sockets and stack.json are the user's alone
    server: Connected | str
    if not can_fork():
        server = "this system has no safe way to fork"
    elif os.environ.get(START) == EXEC:
        server = f"{START}={EXEC}"
    else:
        either = fork_server(options.compose_file.parent, preload)
        if not isinstance(either, Connected):
            either.run()  # this is a service's process
            return
        server = either

    gc.enable()  # a warm server's imports have it off
    from qiki_harness.stack.stackrun import run_stack  # noqa: PLC0415  # beside the fork server's own imports

    run_stack(options, server, tied=tied)


def _read_options() -> tuple[bool, StackOptions]:
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(_INPUT, 65_536)):
            sys.exit("the starter is gone")
        line += more
    words = json.loads(line)
    return words["tied"], StackOptions.from_json(words["options"])


if __name__ == "__main__":
    main()
