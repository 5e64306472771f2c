"""Avoid: reach a point through traffic on collision courses, and hold it."""

from typing import ClassVar

import numpy as np

from qiki.arrays import Array
from qiki.tasks.draw import Draw, contact, scenario
from qiki.tasks.facts import Facts
from qiki.tasks.observation import Own
from qiki.tasks.seen import Seen
from qiki.tasks.task import HIT_M, Mark, Summary, Task, burnt_kg
from qiki.world.scenario import Scenario

POINT_M = np.zeros(3)
"""The point: the origin of the world."""
HOLD_M, HOLD_MPS, HOLD_STEPS = 20.0, 1.0, 30
NEAR_M = 70.0
"""The guard's alert for unknown contacts, in which the vehicle must not thrust."""
PER_M, PER_KG, PER_NEAR_STEP, REACHED, HIT = 0.04, 1.0, 0.1, 10.0, 30.0
FARTHEST_M = 150.0
"""Beyond, it is as bad as there."""
FEWEST, MOST = 2, 10
FIRST_S, LAST_S = 15.0, 40.0
FLIGHT_S = 35.0


class Avoid(Task):
    """Reach the origin, and hold it for three seconds, through contacts whose courses lead to the vehicle's way.

    Reward: 0.04 a metre nearer to the point, within 150 m of it; -1 a kilogram of propellant; up to -0.1 a step for
    each contact within 70 m; 10 for the point held (within 20 m, slower than 1 m/s); -30 for a contact nearer than
    10 m.
    """

    name: ClassVar = "avoid"
    steps: ClassVar = 1000

    def world(self, seed: int, difficulty: float) -> Scenario:
        """Draw 2 to 10 contacts that pass the way to the point between 15 and 40 s."""
        draw = Draw(self.name, seed, difficulty)
        start = draw.direction(5.0) * draw.uniform(60.0, 120.0)
        heading_deg = draw.uniform(0.0, 360.0)
        count = round(FEWEST + (MOST - FEWEST) * difficulty)
        contacts = []
        for number in range(count):
            at_s = draw.uniform(FIRST_S, LAST_S)
            aim = start * max(0.0, 1.0 - at_s / FLIGHT_S) + draw.normal(10.0 + 20.0 * (1.0 - difficulty))
            velocity = draw.direction(15.0) * draw.uniform(15.0, 40.0)
            kind = draw.choose(("DRONE", "DEBRIS", "ASTEROID", "SHIP"))
            contacts.append(contact(f"{kind.lower()}-{number}", kind, aim - at_s * velocity, velocity))
        words = f"{count} contacts on collision courses on the way to a point"
        return scenario(self.name, seed, words, start, heading_deg, contacts=contacts)

    def goal(self, own: Own, seen: Seen) -> tuple[Array, Array]:  # noqa: ARG002  # known without tracks
        """Return the point."""
        return POINT_M - own.position, -own.velocity

    def judge(self, facts: Facts, before: Facts | None, summary: Summary) -> Mark:
        """Mark progress, propellant, near contacts, and the end."""
        away_m = float(np.linalg.norm(facts.own_position))
        closest_m = facts.closest_m(before)
        parts = {
            "progress": 0.0 if before is None else PER_M * (_away_m(before) - _away_m(facts)),
            "propellant": -PER_KG * burnt_kg(facts, before),
            "near": -PER_NEAR_STEP * float((np.clip(1.0 - closest_m / NEAR_M, 0.0, 1.0) ** 2).sum()),
        }
        holds = away_m <= HOLD_M and float(np.linalg.norm(facts.own_velocity)) <= HOLD_MPS
        summary.held_steps = summary.held_steps + 1 if holds else 0
        outcome = ""
        if bool((closest_m < HIT_M).any()) or facts.integrity_pct < 100.0:
            outcome, parts["hit"] = "hit", -HIT
        elif summary.held_steps >= HOLD_STEPS:
            outcome, parts["reached"] = "reached", REACHED
        return Mark(sum(parts.values()), outcome, outcome == "reached", parts)


def _away_m(facts: Facts) -> float:
    """Return the distance from the point that counts."""
    return min(float(np.linalg.norm(facts.own_position)), FARTHEST_M)
