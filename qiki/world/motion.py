"""Motions of all contacts as closed functions of time, grouped by kind.

No position is a sum of steps, so a run is the same at any speed and does not drift. Times may have further axes before
that of the contacts, (..., n), and states then have them too: many times at once cost hardly more than one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array
from qiki.fields import Spec
from qiki.world.scenario.motion import ConstantVelocitySpec, CoordinatedTurnSpec, MotionSpec, OrbitSpec, WaypointsSpec

LEAST_TURN_S = 1e-9
"""Below it the change of velocity is a rounding error."""
State = tuple[Array, Array]  # positions (..., n, 3) [m] and velocities (..., n, 3) [m/s]


class ConstantVelocity:
    """p₀ + v·t."""

    def __init__(self, motions: Sequence[ConstantVelocitySpec]) -> None:
        self._start = np.array([motion.position_m for motion in motions])
        self._velocity = np.array([motion.velocity_mps for motion in motions])
        self.fastest_mps = _fastest(self._velocity)

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        return self._start + self._velocity * t_s[..., np.newaxis], self._velocity


class CoordinatedTurn:
    """A straight line, an arc at constant speed and rate, a straight line.

    The arc is given by its chord, v·u·sin(ωu/2)/(ωu/2) at half the turned angle: the coordinated turn of Bar-Shalom,
    Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, ch. 11, in a form valid for ω = 0.
    """

    def __init__(self, motions: Sequence[CoordinatedTurnSpec]) -> None:
        self._start = np.array([motion.position_m for motion in motions])
        self._velocity = np.array([motion.velocity_mps for motion in motions])
        self._rate_radps = np.radians([motion.turn_rate_dps for motion in motions])
        self._begins_s = np.array([motion.begins_s for motion in motions])
        self._lasts_s = np.array([np.inf if motion.lasts_s is None else motion.lasts_s for motion in motions])
        self.fastest_mps = _fastest(self._velocity)

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        before_s = np.minimum(t_s, self._begins_s)
        arc_s = np.minimum(t_s - before_s, self._lasts_s)
        after_s = t_s - before_s - arc_s
        turned_rad = self._rate_radps * arc_s
        chord = arc_s * np.sinc(turned_rad / (2 * np.pi))
        velocity = _clockwise(self._velocity, turned_rad)
        position = (
            self._start
            + self._velocity * before_s[..., np.newaxis]
            + _clockwise(self._velocity, turned_rad / 2) * np.stack((chord, chord, arc_s), axis=-1)
            + velocity * after_s[..., np.newaxis]
        )
        return position, velocity


class Waypoints:
    """Straight lines and turns in tables, padded to the longest route: column i is valid from `_from_s[:, i]` on.

    A turn is a parabola of constant acceleration, tangential to both legs: the linear segments with parabolic blends
    of Craig, Introduction to Robotics, ch. 7. A loop repeats behind the turn at its start, which its first lap lacks.
    """

    def __init__(self, motions: Sequence[WaypointsSpec]) -> None:
        routes = [_pieces(motion) for motion in motions]
        shape = (len(motions), max(map(len, routes)))
        self._rows = np.arange(len(motions))
        self._from_s = np.full(shape, np.inf)
        self._start, self._velocity, self._acceleration = (np.zeros((*shape, 3)) for _ in range(3))
        for row, pieces in enumerate(routes):
            for column, (from_s, start, velocity, acceleration) in enumerate(pieces):
                self._from_s[row, column] = from_s
                self._start[row, column], self._velocity[row, column] = start, velocity
                self._acceleration[row, column] = acceleration
        loops = [motion.then == "loop" for motion in motions]
        ends_s = [_times(motion)[-1] for motion in motions]
        self._period_s = np.where(loops, ends_s, np.inf)
        self._repeats_s = np.where(loops, [motion.turns_s[-1] / 2 for motion in motions], 0.0)
        self._turns = bool(self._acceleration.any())
        self.fastest_mps = _fastest(self._velocity)

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        t_s = self._repeats_s + np.fmod(t_s - self._repeats_s, self._period_s)
        piece = np.count_nonzero(self._from_s <= t_s[..., np.newaxis], axis=-1) - 1
        velocity = self._velocity[self._rows, piece]
        since_s = (t_s - self._from_s[self._rows, piece])[..., np.newaxis]
        position = self._start[self._rows, piece] + velocity * since_s
        if not self._turns:
            return position, velocity
        gained = self._acceleration[self._rows, piece] * since_s
        return position + 0.5 * gained * since_s, velocity + gained


class Orbit:
    """c + r·(cos φ·a + sin φ·b): `a` points at the ascending node, `b` a quarter further along the motion."""

    def __init__(self, motions: Sequence[OrbitSpec]) -> None:
        node = np.radians([motion.node_deg for motion in motions])
        inclination = np.radians([motion.inclination_deg for motion in motions])
        radius = np.array([[motion.radius_m] for motion in motions])
        east, north = np.sin(node), np.cos(node)
        tilt = np.cos(inclination)
        self._centre = np.array([motion.centre_m for motion in motions])
        self._toward_node = radius * np.stack((east, north, np.zeros_like(node)), axis=1)
        self._ahead = radius * np.stack((tilt * north, -tilt * east, np.sin(inclination)), axis=1)
        self._phase_rad = np.radians([motion.phase_deg for motion in motions])
        self._rate_radps = np.array([motion.rate_radps for motion in motions])
        self.fastest_mps = float((radius[:, 0] * self._rate_radps).max())

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        angle = self._phase_rad + self._rate_radps * t_s
        cos, sin = np.cos(angle)[..., np.newaxis], np.sin(angle)[..., np.newaxis]
        position = self._centre + cos * self._toward_node + sin * self._ahead
        return position, (cos * self._ahead - sin * self._toward_node) * self._rate_radps[:, np.newaxis]


Motion = ConstantVelocity | CoordinatedTurn | Waypoints | Orbit
KINDS: dict[type[Spec], Callable[[Any], Motion]] = {
    ConstantVelocitySpec: ConstantVelocity,
    CoordinatedTurnSpec: CoordinatedTurn,
    WaypointsSpec: Waypoints,
    OrbitSpec: Orbit,
}


class Motions:
    """Motions of all contacts, in the order given.

    Attributes:
        fastest_mps: greatest speed of any contact at any time
    """

    def __init__(self, motions: Sequence[MotionSpec]) -> None:
        self._groups: list[tuple[NDArray[np.int64], Motion]] = []
        for spec, kind in KINDS.items():
            rows = [row for row, motion in enumerate(motions) if isinstance(motion, spec)]
            if rows:
                self._groups.append((np.array(rows), kind([motions[row] for row in rows])))
        self.fastest_mps = max((motion.fastest_mps for _, motion in self._groups), default=0.0)

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        positions, velocities = np.empty((*t_s.shape, 3)), np.empty((*t_s.shape, 3))
        for rows, motion in self._groups:
            positions[..., rows, :], velocities[..., rows, :] = motion.at(t_s[..., rows])
        return positions, velocities


def _fastest(velocities: Array) -> float:
    return float(np.linalg.norm(velocities, axis=-1).max())


def _clockwise(vectors: Array, angle_rad: Array) -> Array:
    """Rotate vectors (n, 3) about the vertical by angles (..., n), in the sense of increasing bearing."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = vectors.T
    return np.stack((x * cos + y * sin, y * cos - x * sin, np.broadcast_to(z, cos.shape)), axis=-1)


Piece = tuple[float, Array, Array, Array]
"""A part of a route: from when on it is valid [s], position [m] and velocity [m/s] then, (3,), its acceleration."""


def _times(motion: WaypointsSpec) -> Array:
    """Return the times of a route's points, (k + 1,) [s]."""
    lengths = np.linalg.norm(np.diff(motion.points, axis=0), axis=1)
    return np.concatenate(([0.0], np.cumsum(lengths / motion.speeds)))


def _pieces(motion: WaypointsSpec) -> list[Piece]:
    """Return the legs of a route, and the turns behind them."""
    points, speeds, times = np.array(motion.points), np.array(motion.speeds), _times(motion)
    legs, rest = np.diff(points, axis=0), np.zeros(3)
    velocities = legs / np.linalg.norm(legs, axis=1)[:, np.newaxis] * speeds[:, np.newaxis]
    pieces: list[Piece] = [(0.0, points[0], velocities[0], rest)]
    nexts = [*velocities[1:], velocities[0] if motion.then == "loop" else rest]
    for corner, time_s, before, after, turn_s in zip(
        points[1:], times[1:].tolist(), velocities, nexts, motion.turns_s, strict=True
    ):
        half_s = turn_s / 2
        if turn_s > LEAST_TURN_S:
            pieces.append((time_s - half_s, corner - before * half_s, before, (after - before) / turn_s))
        pieces.append((time_s + half_s, corner + after * half_s, after, rest))
    return pieces
