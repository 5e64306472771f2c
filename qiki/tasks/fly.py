"""Fly: no aim but to stay whole, for scenarios that are no task's."""

from typing import ClassVar

from qiki.arrays import Array
from qiki.errors import UserError
from qiki.tasks.facts import Facts
from qiki.tasks.observation import Own
from qiki.tasks.seen import Seen
from qiki.tasks.task import Mark, Summary, Task, burnt_kg
from qiki.world.scenario import Scenario

PER_KG, STRUCK = 1.0, 10.0


class Fly(Task):
    """Fly for a minute; the hull must not be struck.

    Reward: -1 a kilogram of propellant; -10 for a contact that strikes the hull, which ends the attempt.
    """

    name: ClassVar = "fly"
    steps: ClassVar = 600

    def world(self, seed: int, difficulty: float) -> Scenario:  # noqa: ARG002
        """Refuse: it draws no worlds."""
        raise UserError("the task fly draws no worlds: name a scenario")

    def goal(self, own: Own, seen: Seen) -> tuple[Array, Array] | None:  # noqa: ARG002  # there is none
        """Return None."""
        return None

    def judge(self, facts: Facts, before: Facts | None, summary: Summary) -> Mark:  # noqa: ARG002
        """Mark propellant, and a strike."""
        parts = {"propellant": -PER_KG * burnt_kg(facts, before)}
        if facts.integrity_pct >= 100.0:
            return Mark(sum(parts.values()), parts=parts)
        parts["struck"] = -STRUCK
        return Mark(sum(parts.values()), "struck", success=False, parts=parts)
