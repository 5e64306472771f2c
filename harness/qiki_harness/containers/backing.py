"""A compose stack as a twin looks at it."""

from dataclasses import dataclass

from qiki_harness.containers.containers import Containers
from qiki_harness.errors import EngineError
from qiki_harness.twin.backing import ForeignStack


@dataclass(frozen=True)
class ContainerBacking(ForeignStack):
    """A compose stack of the tests: watched and commanded as any that runs, and its containers tell how they are."""

    project: str

    def situation(self, lines: int) -> list[str]:
        """How its services are, and the last lines of their logs."""
        headline = f"the compose stack {self.project}"
        try:
            return [headline, *Containers.of(self.project).situation(lines)]
        except EngineError as error:
            return [f"{headline}: {error}"]
