"""Rendezvous: approach a station, and dock within its limits."""

from typing import ClassVar

import numpy as np

from qiki.agent import ObjectType
from qiki.arrays import Array, Mask
from qiki.tasks.draw import Draw, contact, scenario
from qiki.tasks.facts import Facts
from qiki.tasks.observation import Own
from qiki.tasks.seen import Seen
from qiki.tasks.task import Mark, Summary, Task, burnt_kg
from qiki.world.scenario import Scenario

STATION = int(ObjectType.STATION)
DOCK_M, DOCK_MPS = 20.0, 0.5
"""The dock takes a vehicle within this range, and no faster."""
CRASH_MPS = 2.0
PER_M, PER_KG, DOCKED, CRASHED = 0.05, 1.0, 10.0, 10.0


class Rendezvous(Task):
    """Come within 20 m of a station, at no more than 0.5 m/s relative to it: there the dock latches.

    Reward: 0.05 a metre nearer; -1 a kilogram of propellant; 10 for docking; -10 for coming within 20 m faster than
    2 m/s.
    """

    name: ClassVar = "rendezvous"
    steps: ClassVar = 900

    def world(self, seed: int, difficulty: float) -> Scenario:
        """Draw a station that drifts, 80 to 240 m away, and up to 3 pieces of debris that pass."""
        draw = Draw(self.name, seed, difficulty)
        place = draw.direction(10.0) * (80.0 + 160.0 * difficulty * draw.uniform(0.5, 1.0))
        drift = draw.direction(10.0) * 1.5 * difficulty * draw.uniform(0.3, 1.0)
        identity = {"mode": "ON", "id": "STN-HOME"}
        contacts = [contact("home", "STATION", place, drift, side="FRIEND", transponder=identity)]
        for number in range(round(3 * difficulty)):
            at_s, velocity = draw.uniform(20.0, 80.0), draw.direction(15.0) * draw.uniform(10.0, 25.0)
            aim = place * 0.5 + draw.direction(20.0) * draw.uniform(80.0, 150.0)
            contacts.append(contact(f"debris-{number}", "DEBRIS", aim - at_s * velocity, velocity))
        words = "a station that drifts, and debris on the way to it"
        heading_deg, sides = draw.uniform(0.0, 360.0), {"STN-HOME": "FRIEND"}
        return scenario(self.name, seed, words, np.zeros(3), heading_deg, contacts=contacts, identities=sides)

    def goal(self, own: Own, seen: Seen) -> tuple[Array, Array] | None:  # noqa: ARG002  # it is a track
        """Return the nearest track of a station, or else of a contact that replies."""
        return nearest(seen, seen.object_type == STATION) or nearest(seen, seen.replies)

    def judge(self, facts: Facts, before: Facts | None, summary: Summary) -> Mark:  # noqa: ARG002
        """Mark progress, propellant, and the end."""
        parts = {"propellant": -PER_KG * burnt_kg(facts, before)}
        row = _station(facts)
        if row is None:
            return Mark(sum(parts.values()), parts=parts)
        away_m = float(np.linalg.norm(facts.relative[row]))
        speed_mps = float(np.linalg.norm(facts.velocities[row] - facts.own_velocity))
        if before is not None and (then := _station(before)) is not None:
            parts["progress"] = PER_M * (float(np.linalg.norm(before.relative[then])) - away_m)
        outcome = ""
        if away_m <= DOCK_M and speed_mps <= DOCK_MPS:
            outcome, parts["docked"] = "docked", DOCKED
        elif away_m <= DOCK_M and speed_mps > CRASH_MPS:
            outcome, parts["crashed"] = "crashed", -CRASHED
        return Mark(sum(parts.values()), outcome, outcome == "docked", parts)


def _station(facts: Facts) -> int | None:
    """Return the row of the first station."""
    return next(iter(np.flatnonzero(facts.object_types == STATION).tolist()), None)


def nearest(seen: Seen, chosen: Mask) -> tuple[Array, Array] | None:
    """Return position and velocity of the nearest of some tracks; None where there is none."""
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return None
    row = rows[np.linalg.norm(seen.position[rows], axis=1).argmin()]
    return seen.position[row], seen.velocity[row]
