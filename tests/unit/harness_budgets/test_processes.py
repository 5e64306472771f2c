"""Whose process is whose, on real trees of processes."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from qiki_harness.budgets.processes import SUPERVISOR, Processes
from qiki_harness.errors import HarnessError
from qiki_harness.stack import ServiceStatus, StackInfo
from qiki_harness.testing.wait import until

SLEEP = "sleep 600"
TREE = f'sh -c "{SLEEP} & wait" & {SLEEP} & wait'
"""Of a shell: one child with a child, and one without."""


@pytest.fixture
def tree() -> Iterator[psutil.Process]:
    shell = subprocess.Popen(["sh", "-c", TREE], start_new_session=True)
    root = psutil.Process(shell.pid)
    until("the tree to stand", lambda: len(root.children(recursive=True)) == 3)
    yield root
    for process in (*root.children(recursive=True), root):
        process.kill()
    shell.wait()


def stack(supervisor: int, **services: int) -> StackInfo:
    statuses = {name: ServiceStatus(name, f"{name}.log", pid=pid) for name, pid in services.items()}
    return StackInfo("test", Path(), Path(), supervisor, Path(), 0.0, services=statuses)


def with_child(root: psutil.Process) -> tuple[psutil.Process, psutil.Process]:
    """The child that has one, and the other."""
    first, second = sorted(root.children(), key=lambda one: len(one.children()), reverse=True)
    return first, second


def test_a_service_has_its_children_and_the_supervisor_the_rest(tree):
    service, helper = with_child(tree)

    trees = Processes(stack(tree.pid, radar=service.pid))._trees()

    assert trees == {"radar": {service, *service.children()}, SUPERVISOR: {tree, helper}}


def test_the_parent_of_forked_services_belongs_to_the_rest(tree):
    """The supervisor is elsewhere: what forks the services is not its child."""
    service, other = with_child(tree)
    apart = subprocess.Popen(["sleep", "600"])
    supervisor = psutil.Process(apart.pid)
    try:
        trees = Processes(stack(apart.pid, radar=service.pid, nats=other.pid))._trees()
    finally:
        apart.kill()
        apart.wait()

    assert trees == {"radar": {service, *service.children()}, "nats": {other}, SUPERVISOR: {tree, supervisor}}


def test_private_memory_is_less_than_the_resident_and_neither_is_nothing(tree):
    processes = Processes(stack(tree.pid, radar=with_child(tree)[0].pid))

    private, resident = processes.private_mb(), processes.resident_mb()

    assert private.keys() == resident.keys() == {"radar", SUPERVISOR}
    assert all(0 < private[name] < resident[name] for name in private)


def test_a_service_that_was_restarted_meanwhile_is_no_measurement(tree):
    info = stack(tree.pid, radar=with_child(tree)[0].pid)
    processes = Processes(info)

    processes.check(info)
    with pytest.raises(HarnessError, match="radar: was restarted while it was measured"):
        processes.check(replace(info, services={"radar": replace(info.services["radar"], restarts=1)}))
