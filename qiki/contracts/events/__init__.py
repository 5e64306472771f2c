"""Events: the table of their kinds, their codes and their payloads.

A kind is a row of `table.py` and a payload in `payloads.py` or, for the agent's events, in `agent.py`.
"""

from qiki.contracts.events.agent import *
from qiki.contracts.events.codes import *
from qiki.contracts.events.kinds import *
from qiki.contracts.events.payloads import *
from qiki.contracts.events.table import *
