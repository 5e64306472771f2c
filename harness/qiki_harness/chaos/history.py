"""The history of a run: every operation and its answer, a JSON object a line, in the order in which they were noted.

Each line has `op`, and `t`, the monotonic time since the run's begin [s]. The operations:

| `op` | further fields |
| --- | --- |
| `run` | `window_s` (by stream), `asynchronous` (streams), `registered_to`: at the end |
| `event` | `id`, `client`, `state`: `sent`, `stored` (`seq`, `duplicate`) or `unknown` (`error`) |
| `command` | `id`, `name`, `state`: `sent`, `answered` (`ok`, `run`) or `unknown` (`error`) |
| `answer` | an acknowledgement on the bus: `id`, `ok` |
| `read` | a message that a client read: `stream`, `seq`, `id` |
| `followed` | a message that a stream's consumer delivered: `stream`, `seq`, `id` |
| `measured` | a frame from the simulator itself: `run`, `frame` |
| `newest` | the simulator's newest frame at the end: `frame_id` |
| `mention` | a run in telemetry or truth: `run`, `frame` |
| `life` | a process of a service: `service`, `pid` |
| `fault` | `number`, `kind`, `state` (`begun`, `healed`), and the parameters |
| `ready` | all services are ready, and frames flow |
| `late` | a condition that did not come true in time: `what` |
| `stored` | at the end, a stream's message: `stream`, `seq`, `subject`, `id`, `at`, and what is checked |
| `audit` | at the end, a record of the audit log: `sequence`, `source`, `id`, `at`, `hash` |
| `damage` | at the end, a fault of the audit log: `what` |
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

Operation = dict[str, Any]


class History:
    """Writes the operations to a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began_s = time.monotonic()
        self._lock = threading.Lock()  # the audit log is read in a thread

    @property
    def now_s(self) -> float:
        """Time since the begin [s]."""
        return round(time.monotonic() - self._began_s, 4)

    def note(self, op: str, **fields: Any) -> None:
        """Write an operation."""
        with self._lock:
            self._file.write(json.dumps({"t": self.now_s, "op": op, **fields}) + "\n")


def read_history(file: Path) -> list[Operation]:
    """Return the operations of a file."""
    with file.open(encoding="utf-8") as lines:
        return list(_read(lines))


def _read(lines: Iterable[str]) -> Iterator[Operation]:
    for line in lines:
        yield json.loads(line)
