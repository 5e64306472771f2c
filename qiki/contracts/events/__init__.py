"""Events: a kind is a row of `table.py`, with a code of `codes.py` and a payload in `payloads.py`."""

from qiki.contracts.events.codes import *  # noqa: F403 - each name is listed once, where it is made
from qiki.contracts.events.payloads import *  # noqa: F403 - each name is listed once, where it is made
from qiki.contracts.events.table import *  # noqa: F403 - each name is listed once, where it is made
