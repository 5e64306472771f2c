"""The place and time of a message: the evidence for causes and decisions."""

from dataclasses import dataclass

from qiki.agent.world import World
from qiki.contracts.events.agent import Evidence

AGE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Received:
    """A message's place.

    Attributes:
        sequence: in its stream; None for a message that is not stored
        at_s: when it came, on the agent's clock
    """

    subject: str
    sequence: int | None
    at_s: float

    def age_s(self, now_s: float) -> float:
        """Return the time since it came."""
        return round(max(0.0, now_s - self.at_s), AGE_DIGITS)

    def evidence(self, now_s: float) -> Evidence:
        """Return the place as evidence."""
        return Evidence(subject=self.subject, sequence=self.sequence, age_s=self.age_s(now_s))


def newest(world: World, *names: str) -> tuple[Evidence, ...]:
    """Return the newest messages of these inputs as evidence, without inputs that never came."""
    return tuple(world.evidence(name) for name in names if world.inputs[name].age_s is not None)
