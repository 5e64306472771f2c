"""The compose stack on a container engine: find it, start it, drive it, take it down."""

from qiki_harness.containers.containers import Containers, find_engine
from qiki_harness.containers.stack import ContainerStack

__all__ = ["ContainerStack", "Containers", "find_engine"]
