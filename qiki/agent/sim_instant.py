"""A simulated instant of a run, which gives events their time and their identifiers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True, slots=True)
class SimInstant:
    """Simulated Unix time and the agent's tick; `instance` distinguishes two processes of one run."""

    run_id: str
    t_s: float
    tick: int
    instance: str = ""

    @property
    def moment(self) -> datetime:
        """The time with its zone."""
        return datetime.fromtimestamp(self.t_s, UTC)

    def id(self, *parts: object) -> UUID:
        """Return an identifier, the same when the same run is repeated."""
        return named(self.instance, self.run_id, self.moment.isoformat(), self.tick, *parts)


def named(*parts: object) -> UUID:
    """Return the identifier that follows from these parts alone."""
    return uuid5(NAMESPACE_URL, ":".join(("qiki:q_core_agent", *map(str, parts))))
