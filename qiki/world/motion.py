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
    """Legs in tables, padded to the longest route: column i is valid from `_from_s[:, i]` on."""

    def __init__(self, motions: Sequence[WaypointsSpec]) -> None:
        routes = [_route(motion) for motion in motions]
        shape = (len(motions), 1 + max(len(speeds) for _, speeds in routes))
        self._rows = np.arange(len(motions))
        self._from_s = np.full(shape, np.inf)
        self._start = np.zeros((*shape, 3))
        self._velocity = np.zeros((*shape, 3))
        self._period_s = np.full(len(motions), np.inf)
        for row, (motion, (points, speeds)) in enumerate(zip(motions, routes, strict=True)):
            legs = np.diff(points, axis=0)
            lengths = np.linalg.norm(legs, axis=1)
            times = np.concatenate(([0.0], np.cumsum(lengths / speeds)))
            self._from_s[row, : len(times)] = times
            self._start[row, : len(times)] = points
            self._velocity[row, : len(legs)] = legs / lengths[:, np.newaxis] * speeds[:, np.newaxis]
            if motion.then == "loop":
                self._period_s[row] = times[-1]
        self.fastest_mps = _fastest(self._velocity)

    def at(self, t_s: Array) -> State:
        """Return the state at the times (..., n) [s] since each contact appeared."""
        t_s = np.fmod(t_s, self._period_s)
        leg = np.count_nonzero(self._from_s <= t_s[..., np.newaxis], axis=-1) - 1
        velocity = self._velocity[self._rows, leg]
        since_s = t_s - self._from_s[self._rows, leg]
        return self._start[self._rows, leg] + velocity * since_s[..., np.newaxis], velocity


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


def _route(motion: WaypointsSpec) -> tuple[Array, Array]:
    """Return points (k + 1, 3) [m] and the speeds (k,) [m/s] between them; a loop's last leg leads to the start."""
    points = [motion.position_m, *(leg.to_m for leg in motion.legs)]
    speeds = [leg.speed_mps for leg in motion.legs]
    if motion.then == "loop":
        points.append(motion.position_m)
        speeds.append(speeds[-1])
    return np.array(points), np.array(speeds)
