"""The stack runner: the services of a compose file as plain processes, with no engine.

    with Stack.start(StackOptions(compose_file, folder, auto_ports=True)) as stack:
        stack.wait_healthy(deadline_s=30)
        stack.info.addresses["NATS_URL"], stack.info.http_url("q-sim-radar")
        stack.kill("nats")                  # SIGKILL; the restart policy brings it back
        stack.wait_healthy(deadline_s=10)

Each stack has a supervisor, a process of its own (daemon.py), and a run folder whose `stack.json` holds its
status (model.py). Other processes read that file and send requests over the folder's socket (handle.py).
"""

from qiki_harness.stack.control import Hold
from qiki_harness.stack.handle import Stack
from qiki_harness.stack.model import ServiceHealth, ServiceStatus, StackInfo, StackOptions, StackState, State

__all__ = ["Hold", "ServiceHealth", "ServiceStatus", "Stack", "StackInfo", "StackOptions", "StackState", "State"]
