"""The facts that a referee judges by: the truth at one frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from qiki.agent import Vector, World
from qiki.arrays import Array
from qiki.contracts.telemetry import TruthSnapshot
from qiki.flight import FlownFrame


@dataclass(frozen=True, eq=False)
class Facts:
    """The truth at a frame, and the agent's telemetry and alerts; world axes.

    Attributes:
        frame: its number in the run
        own_position, own_velocity: (3,) [m], [m/s]
        ids: of the n present contacts
        positions, velocities: (n, 3) [m], [m/s]
        object_types, iffs: (n,) numbers of ObjectType and FriendFoe
        integrity_pct: of the hull
        alerts: number of the guard's alerts that hold
    """

    frame: int
    own_position: Array
    own_velocity: Array
    ids: tuple[str, ...]
    positions: Array
    velocities: Array
    object_types: NDArray[np.int64]
    iffs: NDArray[np.int64]
    propellant_kg: float
    integrity_pct: float
    heading_deg: float
    docked: bool
    alerts: int

    @classmethod
    def of_flown(cls, flown: FlownFrame, world: World) -> Self:
        """Return the facts of a frame flown in this process."""
        rows, states, frame = np.flatnonzero(flown.states.present), flown.states, flown.measured
        return cls(
            frame.number,
            np.array(frame.own_position_m),
            np.array(frame.own_velocity_mps),
            tuple(flown.contacts.id_texts[row] for row in rows),
            states.positions[rows],
            states.velocities[rows],
            flown.contacts.object_types[rows],
            flown.contacts.iffs[rows],
            **_known(world),
        )

    @classmethod
    def of_snapshot(cls, truth: TruthSnapshot, world: World) -> Self:
        """Return the facts of a frame that a stack published."""
        contacts = truth.contacts
        return cls(
            truth.frame,
            np.array(_axes(truth.bot.position)),
            np.array(_axes(truth.bot.velocity)),
            tuple(one.id for one in contacts),
            _table([_axes(one.position) for one in contacts]),
            _table([_axes(one.velocity) for one in contacts]),
            np.array([one.object_type for one in contacts], np.int64),
            np.array([one.iff for one in contacts], np.int64),
            **_known(world),
        )

    @property
    def relative(self) -> Array:
        """Positions relative to the vehicle, (n, 3) [m]."""
        return self.positions - self.own_position

    def closest_m(self, before: "Facts | None") -> Array:
        """Return each contact's least distance since an earlier frame, (n,) [m], on straight ways between both."""
        now = self.relative
        then = now.copy() if before is None else _matched(self, before, now)
        way = now - then
        length2 = np.einsum("ij,ij->i", way, way)
        share = np.clip(-np.einsum("ij,ij->i", then, way) / np.where(length2 > 0, length2, 1.0), 0.0, 1.0)
        nearest = then + share[:, None] * way
        distances: Array = np.sqrt(np.einsum("ij,ij->i", nearest, nearest))
        return distances


def _matched(facts: Facts, before: Facts, now: Array) -> Array:
    """Return the positions of the same contacts before; of one that was not there, its present one."""
    if facts.ids == before.ids:
        return before.relative
    places = dict(zip(before.ids, before.relative, strict=True))
    return np.array([places.get(name, here) for name, here in zip(facts.ids, now, strict=True)]).reshape(-1, 3)


def _known(world: World) -> dict[str, Any]:
    """Return the part of the facts that the agent itself knows."""
    own = world.own
    if own is None:
        raise ValueError("the agent has no telemetry yet")
    return {
        "propellant_kg": own.propulsion.propellant_kg,
        "integrity_pct": own.hull.integrity,
        "heading_deg": own.heading,
        "docked": own.docking.state == "docked",
        "alerts": len(world.alerts),
    }


def _axes(vector: Vector) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _table(rows: Sequence[tuple[float, float, float]]) -> Array:
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
