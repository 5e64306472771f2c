"""A module of a service's that prints all that a process can tell of how it came to be (test_forked_services.py)."""

import gc
import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path


def stream(one):
    kind = [one.name, one.mode, one.encoding, one.errors]
    return [*kind, one.line_buffering, one.write_through, type(one.buffer).__name__]


def descriptors():
    """Those that are open; the one that reads the folder is not."""
    links = sorted(Path("/proc/self/fd").iterdir(), key=lambda link: int(link.name))
    return {link.name: link.readlink().name for link in links if link.exists()}


def show():
    main = sys.modules["__main__"]
    status = Path("/proc/self/status").read_text().splitlines()
    common = {
        "is_leader": os.getpid() == os.getpgrp() == os.getsid(0),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "argv": [sys.argv, sys.orig_argv],
        "path": sys.path,
        "executable": sys.executable,
        "main": [main.__name__, main.__file__, main.__spec__.name],
        "streams": {name: stream(getattr(sys, name)) for name in ("stdin", "stdout", "stderr")},
        "originals": [getattr(sys, name) is getattr(sys, f"__{name}__") for name in ("stdin", "stdout", "stderr")],
        "descriptors": descriptors(),
        "handlers": {number: str(signal.getsignal(number)) for number in sorted(signal.valid_signals())},
        "mask": list(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "wakeup": signal.set_wakeup_fd(-1),
        "threads": len([*Path("/proc/self/task").iterdir()]),
        "garbage": gc.isenabled(),
        "zone": time.tzname,
        "filters": [str(one) for one in warnings.filters],
        "umask": os.umask(0o22),
        "status": [line for line in status if line.startswith(("SigB", "SigI", "SigC", "Shd", "Cap"))],
    }
    own = {"parent": os.getppid(), "random": random.random()}
    print(json.dumps([common, own]), flush=True)
