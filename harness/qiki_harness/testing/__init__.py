"""Real parts for tests: a broker and services as processes, their keys, and waiting on conditions."""

from qiki_harness.testing.keys import StackKeys
from qiki_harness.testing.processes import Broker, ServiceProcess
from qiki_harness.testing.wait import until, until_async

__all__ = ["Broker", "ServiceProcess", "StackKeys", "until", "until_async"]
