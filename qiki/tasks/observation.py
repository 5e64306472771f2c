"""The numbers that a learning agent sees: an agent's world as arrays of fixed size.

All vectors are in body axes (forward, starboard, up), for the thrusters are fixed to the body; all numbers are scaled
to about one, and cut at ten.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qiki.agent import TRACKS, FriendFoe, ObjectType, World
from qiki.arrays import Array
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.tasks.seen import Seen

Numbers = NDArray[np.float32]
SLOTS = 8
"""Most tracks in an observation: those that come nearest."""
AHEAD_S = 60.0
"""A track's least distance is that of the next minute, on its present course."""
LIMIT = 10.0
GOAL_M, NEAR_MPS, FAR_M, FAST_MPS, MISS_M, NEAR_M = 100.0, 10.0, 1000.0, 50.0, 200.0, 70.0
SPREAD_M2, SPREAD_M2_S2 = 1e4, 1e2
SIDES = np.array([FriendFoe.FRIEND, FriendFoe.FOE, FriendFoe.UNKNOWN], np.int64)
TYPES = np.array(
    [ObjectType.DRONE, ObjectType.SHIP, ObjectType.STATION, ObjectType.ASTEROID, ObjectType.DEBRIS], np.int64
)
OWN = (
    *("velocity forward", "velocity starboard", "velocity up", "speed", "heading sine", "heading cosine"),
    *("propellant", "battery", "hull", "thrusters fire", "docked", "tracks are alive"),
)
GOAL = ("is known", *(f"{what} {axis}" for what in ("position", "velocity") for axis in ("forward", "starboard", "up")))
ALERTS = ("critical", "others")
_TRIANGLE = ("ff", "fs", "fu", "ss", "su", "uu")
TRACK = (
    *(
        f"{what} {axis}"
        for what in ("position", "velocity", "miss", "threat")
        for axis in ("forward", "starboard", "up")
    ),
    "in",
    *(f"{what} covariance {pair}" for what in ("position", "velocity") for pair in _TRIANGLE),
    *("quality", "coasting", "friend", "foe", "unknown", "drone", "ship", "station", "asteroid", "debris", "replies"),
)
SHAPES: dict[str, tuple[int, ...]] = {
    "own": (len(OWN),),
    "goal": (len(GOAL),),
    "alerts": (len(ALERTS),),
    "tracks": (SLOTS, len(TRACK)),
    "mask": (SLOTS,),
}
"""Of the parts, in the order in which a flat observation has them."""
LAYOUT = 1
"""Version of these numbers: a policy fits one."""
SIZE = sum(math.prod(shape) for shape in SHAPES.values())
UPPER = np.triu_indices(3)

Goal = Callable[["Own", Seen], tuple[Array, Array] | None]
"""Returns position and velocity of a task's goal relative to the vehicle, (3,) each [m, m/s], or None."""


@dataclass(frozen=True, eq=False)
class Own:
    """The vehicle's own state: position and velocity, (3,) each [m, m/s], world axes."""

    position: Array
    velocity: Array
    telemetry: TelemetrySnapshot


@dataclass(frozen=True, eq=False)
class Observation:
    """Parts of the shapes `SHAPES`; `mask` is 1 where a row of `tracks` is a track."""

    parts: dict[str, Numbers]

    @property
    def flat(self) -> Numbers:
        """All numbers in one row, (SIZE,)."""
        return np.concatenate([self.parts[name].ravel() for name in SHAPES])


class Encoder:
    """Makes observations, one after the other. The vehicle's velocity follows from its last two positions."""

    def __init__(self, goal: Goal, propellant_kg: float) -> None:
        self._goal, self._propellant_kg = goal, propellant_kg
        self._last: tuple[str, float, list[float]] | None = None
        self._velocity = [0.0, 0.0, 0.0]

    def encode(self, world: World, seen: Seen | None = None) -> Observation:
        """Return what an agent sees of its world; `seen` takes the place of the world's tracks."""
        seen = Seen.of_tracks(world.tracks) if seen is None else seen
        if world.own is None:
            return Observation({name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()})
        own = self._own(world.own)
        axes = body_axes(world.own.heading)
        tracks, mask = _tracks(seen, axes)
        critical = sum(alert.alert.severity == "critical" for alert in world.alerts)
        parts = {
            "own": self._state(own, axes, world),
            "goal": _seen_goal(self._goal(own, seen), axes),
            "alerts": np.array([critical, len(world.alerts) - critical], np.float64),
            "tracks": tracks,
            "mask": mask,
        }
        return Observation({name: np.clip(part, -LIMIT, LIMIT).astype(np.float32) for name, part in parts.items()})

    def save(self) -> Any:
        """Return what is kept from one observation to the next, of values that JSON has."""
        return [list(self._last) if self._last else None, self._velocity]

    def load(self, saved: Any) -> None:
        """Take up what `save` returned."""
        last, velocity = saved
        self._last, self._velocity = (tuple(last) if last else None), list(velocity)

    def _own(self, telemetry: TelemetrySnapshot) -> Own:
        run, t_s = telemetry.sim_state.run_id, telemetry.timestamp.timestamp()
        place = [telemetry.position.x, telemetry.position.y, telemetry.position.z]
        if self._last is None or self._last[0] != run:
            self._velocity = [0.0, 0.0, 0.0]
        elif t_s > self._last[1]:
            passed_s = t_s - self._last[1]
            self._velocity = [(now - before) / passed_s for now, before in zip(place, self._last[2], strict=True)]
        self._last = run, t_s, place
        return Own(np.array(place), np.array(self._velocity), telemetry)

    def _state(self, own: Own, axes: Array, world: World) -> Array:
        telemetry, velocity = own.telemetry, axes @ own.velocity / NEAR_MPS
        heading = math.radians(telemetry.heading)
        return np.array(
            [
                *velocity.tolist(),
                telemetry.velocity / NEAR_MPS,
                math.sin(heading),
                math.cos(heading),
                telemetry.propulsion.propellant_kg / self._propellant_kg,
                telemetry.battery / 100.0,
                telemetry.hull.integrity / 100.0,
                telemetry.propulsion.rcs_active,
                telemetry.docking.state == "docked",
                world.inputs[TRACKS].alive,
            ]
        )


def body_axes(heading_deg: float) -> Array:
    """Return forward, starboard and up as rows in world axes, (3, 3); the heading counts clockwise from north."""
    sine, cosine = math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))
    return np.array([[sine, cosine, 0.0], [cosine, -sine, 0.0], [0.0, 0.0, 1.0]])


def least_distance(position: Array, velocity: Array, ahead_s: float) -> tuple[Array, Array]:
    """Return where straight courses are nearest within a time, (n, 3) [m], and when, (n,) [s]."""
    speed2 = np.einsum("ij,ij->i", velocity, velocity)
    in_s = np.clip(-np.einsum("ij,ij->i", position, velocity) / np.maximum(speed2, 1e-9), 0.0, ahead_s)
    return position + in_s[:, None] * velocity, in_s


def _seen_goal(goal: tuple[Array, Array] | None, axes: Array) -> Array:
    if goal is None:
        return np.zeros(len(GOAL))
    return np.concatenate([[1.0], axes @ goal[0] / GOAL_M, axes @ goal[1] / NEAR_MPS])


def _tracks(seen: Seen, axes: Array) -> tuple[Array, Array]:
    """Return the rows of the tracks that come nearest, the nearest first, and their mask."""
    rows, mask = np.zeros(SHAPES["tracks"]), np.zeros(SLOTS)
    if not len(seen):
        return rows, mask
    miss, in_s = least_distance(seen.position, seen.velocity, AHEAD_S)
    order = np.argsort(np.einsum("ij,ij->i", miss, miss), kind="stable")[:SLOTS]
    columns = (
        seen.position[order] @ axes.T / FAR_M,
        seen.velocity[order] @ axes.T / FAST_MPS,
        miss[order] @ axes.T / MISS_M,
        _threat(miss[order], in_s[order]) @ axes.T,
        in_s[order, None] / AHEAD_S,
        _turned(seen.position_covariance[order], axes) / SPREAD_M2,
        _turned(seen.velocity_covariance[order], axes) / SPREAD_M2_S2,
        seen.quality[order, None],
        seen.coasting[order, None],
        seen.iff[order, None] == SIDES,
        seen.object_type[order, None] == TYPES,
        seen.replies[order, None],
    )
    rows[: len(order)] = np.concatenate(columns, axis=1)
    mask[: len(order)] = 1.0
    return rows, mask


def _threat(miss: Array, in_s: Array) -> Array:
    """Return the direction of each miss, (n, 3), as long as it is near: 1 on a collision course, 0.5 at 70 m.

    It is 0 for a track that recedes.
    """
    away_m = np.sqrt(np.einsum("ij,ij->i", miss, miss))
    size = np.where(in_s > 0.0, 1.0 / (1.0 + (away_m / NEAR_M) ** 2), 0.0)
    threat: Array = miss * (size / np.maximum(away_m, 1e-9))[:, None]
    return threat


def _turned(triangles: Array, axes: Array) -> Array:
    """Return covariances, (n, 6), in other axes."""
    matrices = np.zeros((len(triangles), 3, 3))
    matrices[:, UPPER[0], UPPER[1]] = matrices[:, UPPER[1], UPPER[0]] = triangles
    turned: Array = (axes @ matrices @ axes.T)[:, UPPER[0], UPPER[1]]
    return turned
