"""The imports of a service: it is started with a setting that it refuses, which is after its imports."""

import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

from qiki_harness.budgets.calibration import calibrating
from qiki_harness.budgets.table import Imports, Starts
from qiki_harness.compose import ComposeService
from qiki_harness.errors import HarnessError

_MANY = 10  # modules: a package that brings as many is named
_OURS = {"generated", "qiki", "qiki_harness"}
_WRONG = {"NATS_URL": "nonsense", "AGENT_LOCKSTEP_TICKS": "nonsense"}
_NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"  # tox sets it
_REFUSED = 2
_LINE = "import time:"


def measure_imports(services: Mapping[str, ComposeService]) -> Starts:
    """Return the imports of those services that are Python modules."""
    modules = {name: one.command[2] for name, one in services.items() if one.command[:2] == ("python", "-m")}
    for module in modules.values():  # the first time, they are compiled
        imports_of(module)
    with calibrating() as machine:
        seen = {name: imports_of(module) for name, module in modules.items()}
    return Starts(calibration_ms=machine.loop_ms, services=seen)


def imports_of(module: str) -> Imports:
    """Start a module as a service is started; return what it imports until it refuses its settings.

    Raises:
        HarnessError: it does not.
    """
    command = [sys.executable, "-X", "importtime", "-m", module]
    environment = {key: value for key, value in os.environ.items() if key != _NOT_COMPILED} | _WRONG
    before_s = _children_s()
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    import_ms = 1e3 * (_children_s() - before_s)
    lines = run.stderr.splitlines()
    if run.returncode != _REFUSED:
        words = [line for line in lines if not line.startswith(_LINE)][-1:]
        raise HarnessError(f"{module}: expected it to refuse its settings, got exit status {run.returncode} {words}")
    names = [line.rpartition("|")[2].strip() for line in lines if line.startswith(_LINE)][1:]  # the first is the head
    others = Counter(name.partition(".")[0] for name in names)
    many = {name for name, count in others.items() if count >= _MANY}
    packages = many - _OURS - {module} - set(sys.stdlib_module_names)
    return Imports(modules=len(names), import_ms=import_ms, packages=tuple(sorted(packages)))


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
