"""Collision avoidance: an engine of the Q-Core Agent, in one file.

It predicts each track, with the uncertainty of the prediction: the contact may be in a turn, or begin one. A track's
clearance is its least distance on the way, less a part of the standard deviation in that direction. If the smallest
one is too small, the engine burns the thruster that increases it most, and looks again. A proposed burn need not be a
burn: telemetry shows whether the vehicle burns, and if not, the engine proposes again.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qiki.agent import (
    TELEMETRY,
    BotConfig,
    Evidence,
    Proposal,
    ProposalType,
    RadarTrackStatus,
    SeenTrack,
    TelemetrySnapshot,
    World,
    fire,
)
from qiki.agent.prediction import predict_tracks

TOO_NEAR_M = 120.0
"""A smaller clearance needs a burn."""
CLEAR_M = 150.0
"""The clearance that a burn aims for."""
SIGMAS = 0.3
"""Standard deviations of a prediction that count against its distance."""
DOUBT_M = 60.0
"""The most that they count: beyond, everything far ahead would be near."""
TIMES_S = (*range(20), *range(20, 61, 2))
"""Of the predictions; later approaches can wait."""
PULSE_S = 5.0
"""The longest burn before the next look."""
SEEN_AFTER_S = 1.0
"""Telemetry this much later than the proposal shows whether the vehicle burns."""
BRISK_MPS = 0.1
"""Slower tracks are ignored."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Approach:
    """The smallest clearance of all tracks.

    Attributes:
        in_s: time until then
        distance_m: as predicted
        doubt_m: part of the uncertainty that counts against it
    """

    seen: SeenTrack
    in_s: float
    distance_m: float
    doubt_m: float

    @property
    def clearance_m(self) -> float:
        """Distance that can be counted on."""
        return self.distance_m - self.doubt_m


class Avoidance:
    """Keeps clear of everything that is tracked. The agent makes one object, and calls `propose` at every tick."""

    def __init__(self, bot: BotConfig) -> None:
        self._propulsion = bot.hardware_profile.propulsion_plane
        self._run_id = ""
        self._proposed_s = self._burns_until_s = 0.0

    def propose(self, world: World) -> Iterable[Proposal]:
        """Yield one burn, or nothing."""
        if world.run_id != self._run_id:  # simulated time restarts
            self._run_id, self._burns_until_s = world.run_id, 0.0
        if world.own is None or self._burns(world.t_s, world.own):
            return
        paths = Paths.of(world)
        nearest = paths.nearest()
        if nearest is None or nearest.clearance_m >= TOO_NEAR_M:
            return
        acceleration_mps2 = self._acceleration_mps2(world.own)
        axis = best_axis(paths, world.own.heading, acceleration_mps2)
        duration_s = min(PULSE_S, burn_s(nearest, acceleration_mps2))
        self._proposed_s, self._burns_until_s = world.t_s, world.t_s + duration_s
        yield Proposal(
            actions=(fire(axis, 100.0, duration_s),),
            justification=f"track {nearest.seen.report.track_id} passes {nearest.distance_m:.0f} m away "
            f"in {nearest.in_s:.0f} s, doubt {nearest.doubt_m:.0f} m: {duration_s:.1f} s of thrust {axis}",
            type=ProposalType.SAFETY,
            priority=0.8,
            confidence=0.9,
            expected_duration_s=duration_s,
            rests_on=(*evidence(nearest.seen), world.evidence(TELEMETRY)),
            key="burn",
        )

    def save(self) -> list[Any]:
        """Return what is kept from tick to tick, for a run that is saved."""
        return [self._run_id, self._proposed_s, self._burns_until_s]

    def load(self, saved: Any) -> None:
        """Take up what `save` returned."""
        self._run_id, self._proposed_s, self._burns_until_s = saved

    def _burns(self, t_s: float, own: TelemetrySnapshot) -> bool:
        """Return whether the last proposed burn goes on, as far as telemetry can show yet."""
        if t_s >= self._burns_until_s:
            return False
        return own.timestamp.timestamp() < self._proposed_s + SEEN_AFTER_S or own.propulsion.rcs_active

    def _acceleration_mps2(self, own: TelemetrySnapshot) -> float:
        """Return what a thruster gives."""
        mass_kg: float = self._propulsion.dry_mass_kg + own.propulsion.propellant_kg
        return self._propulsion.thrust_n / mass_kg


@dataclass(frozen=True)
class Paths:
    """The predicted ways of n tracks at k times, relative to the bot if it coasts."""

    tracks: Sequence[SeenTrack]
    position: Array  # (n, k, 3) [m]
    covariance: Array  # (n, k, 3, 3) [m²]

    @classmethod
    def of(cls, world: World) -> "Paths":
        """Predict the tracks that come closer within the times."""
        seen = [one for one in world.tracks if one.report.status is RadarTrackStatus.TRACKED and _is_brisk(one)]
        position, covariance = predict_tracks(seen, TIMES_S)
        nearest = np.linalg.norm(position, axis=2).argmin(1) if seen else np.zeros(0, dtype=np.intp)
        rows = np.flatnonzero((nearest > 0) & (nearest < len(TIMES_S) - 1))
        return cls([seen[row] for row in rows.tolist()], position[rows], covariance[rows])

    def nearest(self) -> Approach | None:
        """Return the smallest clearance; None without tracks."""
        if not self.tracks:
            return None
        distance_m, doubt_m, in_s = self.passes(np.zeros((len(TIMES_S), 3)))
        row, step = np.unravel_index((distance_m - doubt_m).argmin(), in_s.shape)
        figures = (float(column[row, step]) for column in (in_s, distance_m, doubt_m))
        return Approach(self.tracks[int(row)], *figures)

    def passes(self, aside: Array) -> tuple[Array, Array, Array]:
        """Return least distance, its doubt and its time from each time to the next, (n, k - 1) each [m, m, s].

        `aside`, (k, 3) [m], is the way of the bot from where it would be without a burn.
        """
        begin, end = (self.position - aside)[:, :-1], (self.position - aside)[:, 1:]
        way = end - begin
        share = np.clip(-np.vecdot(begin, way) / np.maximum(np.vecdot(way, way), 1e-9), 0.0, 1.0)[..., None]
        miss = begin + share * way
        distance_m = np.linalg.norm(miss, axis=2)
        spread = (1 - share[..., None]) * self.covariance[:, :-1] + share[..., None] * self.covariance[:, 1:]
        sigma_m = np.sqrt(np.vecdot(miss, np.matvec(spread, miss))) / np.maximum(distance_m, 1e-9)
        times_s = np.array(TIMES_S, dtype=np.float64)
        in_s = times_s[:-1] + share[..., 0] * np.diff(times_s)
        return distance_m, np.minimum(SIGMAS * sigma_m, DOUBT_M), in_s


def evidence(seen: SeenTrack) -> tuple[Evidence, ...]:
    """Return the messages of a track."""
    return (seen.evidence,) if seen.estimate is None else (seen.evidence, seen.estimate.evidence)


def burn_s(approach: Approach, acceleration_mps2: float) -> float:
    """Return the burn time: a burn of τ at acceleration a moves the bot aside by a·τ·(t - τ/2) at the time t."""
    aside_m = CLEAR_M - approach.clearance_m
    under_root = approach.in_s**2 - 2 * aside_m / acceleration_mps2
    return approach.in_s - math.sqrt(max(0.0, under_root))


def best_axis(paths: Paths, heading_deg: float, acceleration_mps2: float) -> str:
    """Return the best thruster: burning it until the bot is aside by `CLEAR_M` gives the largest clearance."""
    aside_m = np.minimum(0.5 * acceleration_mps2 * np.array(TIMES_S) ** 2, CLEAR_M)

    def clearance_m(push: Array) -> float:
        distance_m, doubt_m, _ = paths.passes(aside_m[:, None] * push)
        return float((distance_m - doubt_m).min())

    axes = body_axes(heading_deg)
    return max(axes, key=lambda axis: clearance_m(np.array(axes[axis])))


def body_axes(heading_deg: float) -> dict[str, tuple[float, float, float]]:
    """Return each thruster's push as a unit vector of the world (+X east, +Y north, +Z up); north is heading 0."""
    sine, cosine = math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))
    return {
        "up": (0.0, 0.0, 1.0),
        "down": (0.0, 0.0, -1.0),
        "starboard": (cosine, -sine, 0.0),
        "port": (-cosine, sine, 0.0),
        "forward": (sine, cosine, 0.0),
        "aft": (-sine, -cosine, 0.0),
    }


def _is_brisk(seen: SeenTrack) -> bool:
    """Return whether a track has a place, and moves."""
    velocity = seen.report.velocity
    return bool(seen.report.position and velocity and math.hypot(velocity.x, velocity.y, velocity.z) >= BRISK_MPS)
