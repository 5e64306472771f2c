"""Events: the table of their kinds, their codes and their payloads.

A kind is a row of `table.py` and a payload in `payloads.py`.
"""

from qiki.contracts.events.codes import *
from qiki.contracts.events.payloads import *
from qiki.contracts.events.table import *
