"""Inspect: keep an unknown contact in view from a distance, without alarming the guard."""

from typing import ClassVar

import numpy as np

from qiki.agent import FriendFoe
from qiki.arrays import Array
from qiki.tasks.draw import MILLIMETRES, Draw, scenario, vector
from qiki.tasks.facts import Facts
from qiki.tasks.observation import Own, body_axes
from qiki.tasks.rendezvous import nearest
from qiki.tasks.seen import Seen
from qiki.tasks.task import Mark, Summary, Task, burnt_kg
from qiki.world.scenario import Scenario

UNKNOWN = int(FriendFoe.UNKNOWN)
BAND_M = (200.0, 400.0)
VIEW_COSINE = float(np.cos(np.radians(30.0)))
WANTED_STEPS = 200
PER_M, PER_KG, PER_STEP, DONE, ALARMED = 0.02, 1.0, 0.05, 5.0, 5.0


class Inspect(Task):
    """Keep an unknown contact within 200 to 400 m and within 30 degrees of the heading, for 20 s in all.

    Reward: 0.05 a step in the band and in view; 0.02 a metre nearer to the band; -1 a kilogram of propellant; 5 for
    20 s; -5 for an alert of the guard, which ends the attempt.
    """

    name: ClassVar = "inspect"
    steps: ClassVar = 900

    def world(self, seed: int, difficulty: float) -> Scenario:
        """Draw a drone that turns slowly, 450 to 650 m away."""
        draw = Draw(self.name, seed, difficulty)
        place = draw.direction(10.0) * draw.uniform(450.0, 550.0 + 100.0 * difficulty)
        velocity = draw.direction(0.0) * draw.uniform(0.5, 1.0 + 3.0 * difficulty)
        motion = {
            "kind": "coordinated_turn",
            "position_m": vector(place),
            "velocity_mps": vector(velocity),
            "turn_rate_dps": round(draw.uniform(-2.0, 2.0) * difficulty, MILLIMETRES),
        }
        contacts = [{"id": "stranger", "object_type": "DRONE", "motion": motion}]
        words = "an unknown drone that circles slowly"
        return scenario(self.name, seed, words, np.zeros(3), draw.uniform(0.0, 360.0), contacts=contacts)

    def goal(self, own: Own, seen: Seen) -> tuple[Array, Array] | None:  # noqa: ARG002  # it is a track
        """Return the nearest unknown track."""
        return nearest(seen, seen.iff == UNKNOWN)

    def judge(self, facts: Facts, before: Facts | None, summary: Summary) -> Mark:
        """Mark the band, the view, propellant, and the end."""
        parts = {"propellant": -PER_KG * burnt_kg(facts, before)}
        rows = np.flatnonzero(facts.iffs == UNKNOWN)
        if not len(rows):
            return Mark(sum(parts.values()), parts=parts)
        relative = facts.relative[rows[0]]
        parts["approach"] = 0.0 if before is None else PER_M * (_outside(before) - _outside(facts))
        ahead = float(body_axes(facts.heading_deg)[0] @ relative) >= VIEW_COSINE * float(np.linalg.norm(relative))
        if _outside(facts) == 0.0 and ahead:
            parts["view"] = PER_STEP
            summary.held_steps += 1
        outcome = ""
        if facts.alerts:
            outcome, parts["alarmed"] = "alarmed", -ALARMED
        elif summary.held_steps >= WANTED_STEPS:
            outcome, parts["inspected"] = "inspected", DONE
        return Mark(sum(parts.values()), outcome, outcome == "inspected", parts)


def _outside(facts: Facts) -> float:
    """Return how far the first unknown contact is outside the band [m]."""
    rows = np.flatnonzero(facts.iffs == UNKNOWN)
    if not len(rows):
        return 0.0
    away_m = float(np.linalg.norm(facts.relative[rows[0]]))
    return max(BAND_M[0] - away_m, away_m - BAND_M[1], 0.0)
