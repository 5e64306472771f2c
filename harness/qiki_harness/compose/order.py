"""The order in which services can start."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from qiki_harness.compose.model import ComposeService
from qiki_harness.compose.nodes import YamlNode


def in_order(services: Mapping[str, ComposeService], nodes: Mapping[str, YamlNode]) -> dict[str, ComposeService]:
    """The services, each after those that it depends on.

    Raises:
        ComposeError: a dependency is not there, or depends on its dependant.
    """
    for service in services.values():
        for dependency in service.dependencies:
            if dependency.service not in services:
                nodes[service.name].fail(f"depends on {dependency.service}, which is no service of this file")
    sorter = TopologicalSorter({s.name: [d.service for d in s.dependencies] for s in services.values()})
    try:
        return {name: services[name] for name in sorter.static_order()}
    except CycleError as error:
        circle = " → ".join(error.args[1])
        nodes[error.args[1][0]].fail(f"depends on itself: {circle}")
