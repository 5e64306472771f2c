"""Real parts for tests: a broker and services as processes, and waiting on conditions."""

from qiki_harness.testing.processes import Broker, ServiceProcess
from qiki_harness.testing.wait import until, until_async

__all__ = ["Broker", "ServiceProcess", "until", "until_async"]
