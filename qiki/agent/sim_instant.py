"""A simulated moment of a run: what the agent says then bears its time, and identifiers made from it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True, slots=True)
class SimInstant:
    """Where and when something is said.

    Attributes:
        t_s: simulated time, Unix seconds
        tick: of the agent
        instance: tells two processes of one run apart
    """

    run_id: str
    t_s: float
    tick: int
    instance: str = ""

    @property
    def moment(self) -> datetime:
        """The time, zoned."""
        return datetime.fromtimestamp(self.t_s, UTC)

    def id(self, *parts: object) -> UUID:
        """An identifier of this moment: the same run repeated names everything the same."""
        place = (self.instance, self.run_id, self.moment.isoformat(), self.tick)
        return named(*place, *parts)


def named(*parts: object) -> UUID:
    """The identifier that follows from these words alone."""
    return uuid5(NAMESPACE_URL, ":".join(("qiki:q_core_agent", *map(str, parts))))
