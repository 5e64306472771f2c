"""Collision avoidance: an engine of the Q-Core Agent, in one file.

For each track it works out the closest point of approach, as on straight courses. Is the nearest one too near, it
burns the thruster that opens the gap most, for as long as that takes, and looks again. That it proposed a burn does not
mean that the vehicle burns: telemetry says whether it does, and if not it proposes again.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qiki.agent import TELEMETRY, Proposal, SeenTrack, World, fire
from qiki.botspec import BotConfig
from qiki.contracts.enums import ProposalType, RadarTrackStatus
from qiki.contracts.models import TelemetrySnapshot, Vector

TOO_NEAR_M = 120.0
"""A miss that something has to be done about."""
CLEAR_M = 150.0
"""The miss that a burn aims at."""
HORIZON_S = 60.0
"""Whoever comes later than this has time."""
PULSE_S = 5.0
"""The longest burn without another look."""
SEEN_AFTER_S = 1.0
"""Telemetry so much later than the proposal shows whether the vehicle burns."""
BRISK_MPS = 0.1
"""Slower than this nobody comes anywhere."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Approach:
    """The closest point of approach to a track.

    Attributes:
        in_s: time until then
        miss: where the track is then, seen from the bot, world axes [m]
        course: direction of the relative velocity, a unit vector
    """

    seen: SeenTrack
    in_s: float
    miss: Triple
    course: Triple

    @property
    def miss_m(self) -> float:
        """How far away it passes."""
        return math.hypot(*self.miss)


class Avoidance:
    """Keeps clear of everything that is tracked. The agent makes one, and asks it at every tick."""

    def __init__(self, bot: BotConfig) -> None:
        self._propulsion = bot.hardware_profile.propulsion_plane
        self._run_id = ""
        self._proposed_s = self._burns_until_s = 0.0

    def propose(self, world: World) -> Iterable[Proposal]:
        """One burn, or nothing."""
        if world.run_id != self._run_id:  # simulated time begins anew
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
        """Whether the burn that was proposed last goes on, as far as telemetry can show already."""
        if t_s >= self._burns_until_s:
            return False
        told_s = own.timestamp.timestamp()
        return told_s < self._proposed_s + SEEN_AFTER_S or own.propulsion.rcs_active

    def _burn_s(self, approach: Approach, own: TelemetrySnapshot) -> float:
        """How long to burn: under a for τ, then coasting, the bot is a·τ·(t - τ/2) aside at the time t."""
        mass_kg = self._propulsion.dry_mass_kg + own.propulsion.propellant_kg
        acceleration_mps2 = self._propulsion.thrust_n / mass_kg
        aside_m = CLEAR_M - approach.miss_m
        under_root = approach.in_s**2 - 2 * aside_m / acceleration_mps2
        return approach.in_s - math.sqrt(max(0.0, under_root))


def approaches(world: World) -> Iterator[Approach]:
    """Of every track that comes closer, within the horizon."""
    for seen in world.tracks:
        if seen.report.status is RadarTrackStatus.TRACKED and (approach := approach_of(seen)):
            yield approach


def approach_of(seen: SeenTrack) -> Approach | None:
    """None for one that does not come closer, or not soon, or does not say where it is."""
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
    """The thruster that opens the gap most: moving aside by `CLEAR_M` along it gives the largest miss."""

    def miss_m(push: Triple) -> float:
        aside = _plus(push, _scaled(approach.course, -_dot(push, approach.course)))  # along the course nothing is won
        return math.hypot(*_plus(approach.miss, _scaled(aside, -CLEAR_M)))

    axes = body_axes(heading_deg)
    return max(axes, key=lambda axis: miss_m(axes[axis]))


def body_axes(heading_deg: float) -> dict[str, Triple]:
    """Where each thruster pushes, as unit vectors of the world (+X east, +Y north, +Z up); north is heading 0."""
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
