"""A compose stack for a twin."""

from dataclasses import dataclass

from qiki_harness.containers.containers import Containers
from qiki_harness.errors import EngineError
from qiki_harness.twin.backing import ForeignStack


@dataclass(frozen=True)
class ContainerBacking(ForeignStack):
    """A compose stack of the tests: like any foreign stack, but its containers can be inspected."""

    project: str

    def situation(self, lines: int) -> list[str]:
        """Return the state of its services and the last lines of their logs."""
        headline = f"the compose stack {self.project}"
        try:
            return [headline, *Containers.of(self.project).situation(lines)]
        except EngineError as error:
            return [f"{headline}: {error}"]
