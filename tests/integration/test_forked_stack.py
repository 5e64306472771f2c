"""The stack's own services, forked: what they register is what they register when they are started by exec."""

import re

import psutil
import pytest

from qiki_harness.http import open_url
from qiki_harness.stack import StackInfo
from qiki_harness.testing import until

SERVICES = {
    "q-sim-service": "q_sim_service",
    "q-sim-radar": "q_sim_radar",
    "faststream-bridge": "faststream_bridge",
    "registrar": "registrar",
    "qiki-dev": "q_core_agent",
}


def metrics(info: StackInfo, service: str) -> str:
    with open_url(f"{info.http_url(service)}/metrics", timeout=10) as answer:
        return answer.read().decode()


def described(page: str) -> list[str]:
    """The names and types of the metrics, sorted: their order is that of the imports."""
    return sorted(re.findall(r"^# (?:HELP|TYPE) .*", page, re.MULTILINE))


def created(page: str) -> list[float]:
    return [float(value) for value in re.findall(r"^qiki_\w+_created(?:{.*})? (\S+)", page, re.MULTILINE)]


def test_forked_services_are_those_that_exec_would_start(own_twin, monkeypatch: pytest.MonkeyPatch):
    forked = own_twin("crossing", start=False, env={"LOG_LEVEL": "DEBUG"}).stack
    info = forked.info
    assert not [line for line in forked.logs("qiki") if "by exec" in line and "nats is" not in line]
    for service, module in SERVICES.items():
        process = psutil.Process(info.services[service].pid)
        assert process.name() == module[:15]
        assert process.cmdline() == ["python", "-m", module]
        assert process.memory_full_info().uss > 0
        until(f"{service} to have used the processor", lambda one=process: sum(one.cpu_times()[:2]) > 0)
        assert min(created(metrics(info, service))) >= process.create_time() - 1

    monkeypatch.setenv("QIKI_START", "exec")
    executed = own_twin("crossing", start=False).stack.info
    assert psutil.Process(executed.services["registrar"].pid).name() == "python"
    for service in SERVICES:
        assert described(metrics(info, service)) == described(metrics(executed, service))
