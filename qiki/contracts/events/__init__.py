"""Events: a kind is a row of `table.py`, with a code of `codes.py` and a payload in `payloads.py`."""

from qiki.contracts.events.codes import *
from qiki.contracts.events.payloads import *
from qiki.contracts.events.table import *
