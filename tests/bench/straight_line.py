"""Collision avoidance on straight courses: the example engine without estimates, to compare with.

For each track it computes the closest point of approach, on straight courses. If the nearest one is too near, it burns
the thruster that increases the miss most, and looks again.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qiki.agent import (
    TELEMETRY,
    BotConfig,
    Proposal,
    ProposalType,
    RadarTrackStatus,
    SeenTrack,
    TelemetrySnapshot,
    Vector,
    World,
    fire,
)

TOO_NEAR_M = 120.0
"""A smaller miss needs a burn."""
CLEAR_M = 150.0
"""The miss that a burn aims for."""
HORIZON_S = 60.0
"""Later approaches can wait."""
PULSE_S = 5.0
"""The longest burn before the next look."""
SEEN_AFTER_S = 1.0
"""Telemetry this much later than the proposal shows whether the vehicle burns."""
BRISK_MPS = 0.1
"""Slower tracks are ignored."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Approach:
    """The closest point of approach to a track.

    Attributes:
        in_s: time until then
        miss: position of the track then, relative to the bot, world axes [m]
        course: direction of the relative velocity, a unit vector
    """

    seen: SeenTrack
    in_s: float
    miss: Triple
    course: Triple

    @property
    def miss_m(self) -> float:
        """Distance at which it passes."""
        return math.hypot(*self.miss)


class StraightLine:
    """Keeps clear of the track with the nearest straight course."""

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
        nearest = min(approaches(world), key=lambda approach: approach.miss_m, default=None)
        if nearest is None or nearest.miss_m >= TOO_NEAR_M:
            return
        axis = best_axis(nearest, world.own.heading)
        duration_s = min(PULSE_S, self._burn_s(nearest, world.own))
        self._proposed_s, self._burns_until_s = world.t_s, world.t_s + duration_s
        yield Proposal(
            actions=(fire(axis, 100.0, duration_s),),
            justification=f"track {nearest.seen.report.track_id} passes {nearest.miss_m:.0f} m away "
            f"in {nearest.in_s:.0f} s: {duration_s:.1f} s of thrust {axis}",
            type=ProposalType.SAFETY,
            priority=0.8,
            confidence=0.9,
            expected_duration_s=duration_s,
            rests_on=(nearest.seen.evidence, world.evidence(TELEMETRY)),
            key="burn",
        )

    def _burns(self, t_s: float, own: TelemetrySnapshot) -> bool:
        """Return whether the last proposed burn goes on, as far as telemetry can show yet."""
        if t_s >= self._burns_until_s:
            return False
        return own.timestamp.timestamp() < self._proposed_s + SEEN_AFTER_S or own.propulsion.rcs_active

    def _burn_s(self, approach: Approach, own: TelemetrySnapshot) -> float:
        """Return the burn time: a burn of τ at acceleration a moves the bot aside by a·τ·(t - τ/2) at the time t."""
        mass_kg = self._propulsion.dry_mass_kg + own.propulsion.propellant_kg
        acceleration_mps2 = self._propulsion.thrust_n / mass_kg
        aside_m = CLEAR_M - approach.miss_m
        under_root = approach.in_s**2 - 2 * aside_m / acceleration_mps2
        return approach.in_s - math.sqrt(max(0.0, under_root))


def approaches(world: World) -> Iterator[Approach]:
    """Yield the approach of every track that comes closer within the horizon."""
    for seen in world.tracks:
        if seen.report.status is RadarTrackStatus.TRACKED and (approach := approach_of(seen)):
            yield approach


def approach_of(seen: SeenTrack) -> Approach | None:
    """Return a track's approach; None if it does not come closer soon, or has no position."""
    report = seen.report
    if report.position is None or report.velocity is None:
        return None
    position, velocity = _triple(report.position), _triple(report.velocity)
    speed_mps = math.hypot(*velocity)
    if speed_mps < BRISK_MPS:
        return None
    in_s = -_dot(position, velocity) / speed_mps**2
    if not 0 < in_s < HORIZON_S:
        return None
    course = _scaled(velocity, 1 / speed_mps)
    return Approach(seen, in_s, _plus(position, _scaled(velocity, in_s)), course)


def best_axis(approach: Approach, heading_deg: float) -> str:
    """Return the best thruster: moving aside by `CLEAR_M` along it gives the largest miss."""

    def miss_m(push: Triple) -> float:
        aside = _plus(
            push, _scaled(approach.course, -_dot(push, approach.course))
        )  # a push along the course gains nothing
        return math.hypot(*_plus(approach.miss, _scaled(aside, -CLEAR_M)))

    axes = body_axes(heading_deg)
    return max(axes, key=lambda axis: miss_m(axes[axis]))


def body_axes(heading_deg: float) -> dict[str, Triple]:
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


def _triple(vector: Vector) -> Triple:
    return vector.x, vector.y, vector.z


def _dot(a: Triple, b: Triple) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _plus(a: Triple, b: Triple) -> Triple:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _scaled(a: Triple, by: float) -> Triple:
    return a[0] * by, a[1] * by, a[2] * by
