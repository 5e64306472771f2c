"""The twin: a running stack as tests see it.

The fixtures `twin` and `own_twin` are in `qiki_harness.pytest_plugin`; conditions are in `qiki_harness.twin.where`.
"""

from qiki_harness.twin.backing import ForeignStack, OwnStack
from qiki_harness.twin.history import AwaitedError
from qiki_harness.twin.native import start_stack, start_twin
from qiki_harness.twin.records import DeadLetter, Event, Record, UnreadableError
from qiki_harness.twin.shared import SharedStack
from qiki_harness.twin.twin import Twin

__all__ = [
    "AwaitedError", "DeadLetter", "Event", "ForeignStack", "OwnStack", "Record", "SharedStack", "Twin",
    "UnreadableError", "start_stack", "start_twin",
]  # fmt: skip
