"""Field types of scenario files, and motions of contacts. Every motion begins when its contact appears."""

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.fields import AS_NAME, Length, Number, Spec, field_error, member

Seconds = Annotated[Number, Field(ge=0, le=1e7)]
Metres = Annotated[Number, Field(ge=-1e7, le=1e7)]
Speed = Annotated[Number, Field(gt=0, le=1e5)]
Acceleration = Annotated[Number, Field(gt=0, le=1e6)]
Velocity = Annotated[Number, Field(ge=-1e5, le=1e5)]
Point = tuple[Metres, Metres, Metres]  # x, y, z [m] in world axes: east, north, up
VelocityVector = tuple[Velocity, Velocity, Velocity]  # x, y, z [m/s] in world axes

ObjectTypeName = Annotated[
    ObjectType, BeforeValidator(member(ObjectType, ("DRONE", "SHIP", "STATION", "ASTEROID", "DEBRIS"))), AS_NAME
]
SideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE", "UNKNOWN"))), AS_NAME]
KnownSideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE"))), AS_NAME]
ModeName = Annotated[
    TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT", "SPOOF"))), AS_NAME
]
HonestModeName = Annotated[TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT"))), AS_NAME]


SHORTEST_LEG_M = 1e-3

TurnRate = Annotated[Number, Field(ge=-180, le=180)]


class ConstantVelocitySpec(Spec):
    """A straight line at constant velocity; without a velocity at rest."""

    kind: Literal["constant_velocity"] = "constant_velocity"
    position_m: Point
    velocity_mps: VelocityVector = (0.0, 0.0, 0.0)


class CoordinatedTurnSpec(Spec):
    """A straight line, a level turn at constant speed and rate, a straight line."""

    kind: Literal["coordinated_turn"] = "coordinated_turn"
    position_m: Point
    velocity_mps: VelocityVector
    turn_rate_dps: TurnRate  # positive: clockwise seen from above, as bearings
    begins_s: Seconds = 0.0
    lasts_s: Seconds | None = None  # None: without end


class Leg(Spec):
    """A straight line to a point."""

    to_m: Point
    speed_mps: Speed


class WaypointsSpec(Spec):
    """A sequence of legs, then a stop; or a loop, which closes at the last leg's speed and repeats.

    With an acceleration a contact cuts the corner between two legs on a parabola, or slows down before the stop: it
    accelerates for as long before the time of the corner as after it. Without one its velocity jumps.
    """

    kind: Literal["waypoints"] = "waypoints"
    position_m: Point
    legs: Annotated[tuple[Leg, ...], Field(min_length=1, max_length=100)]
    then: Literal["hold", "loop"] = "hold"
    turn_acceleration_mps2: Acceleration | None = None

    @model_validator(mode="after")
    def _legs_have_length(self) -> Self:
        here = self.position_m
        for i, leg in enumerate(self.legs):
            if math.dist(here, leg.to_m) < SHORTEST_LEG_M:
                raise field_error(("legs", i, "to_m"), "leg ends where it begins (expected another point)")
            here = leg.to_m
        if self.then == "loop" and math.dist(here, self.position_m) < SHORTEST_LEG_M:
            reason = "a loop closes by itself (expected a last point other than position_m)"
            raise field_error(("legs", len(self.legs) - 1, "to_m"), reason)
        return self

    @model_validator(mode="after")
    def _turns_fit(self) -> Self:
        if self.turn_acceleration_mps2 is None:
            return self
        halves = [turn_s / 2 for turn_s in self.turns_s]
        at_begins = [halves[-1] if self.then == "loop" else 0.0, *halves]
        shares = [half_s / leg_s for half_s, leg_s in zip(map(sum, pairwise(at_begins)), self.legs_s, strict=True)]
        if (most := max(shares)) > 1:
            leg = shares.index(most)
            name = f"legs.{leg}" if leg < len(self.legs) else "the leg that closes the loop"
            least = math.ceil(100 * most * self.turn_acceleration_mps2) / 100
            reason = f"{name} is too short for its turns (expected {least:g} or more)"
            raise field_error(("turn_acceleration_mps2",), reason)
        return self

    @property
    def points(self) -> list[Point]:
        """The ends of all k legs, k + 1 of them [m]; a loop's last leg leads to the start."""
        points = [self.position_m, *(leg.to_m for leg in self.legs)]
        return [*points, self.position_m] if self.then == "loop" else points

    @property
    def speeds(self) -> list[float]:
        """The speed on each leg, (k,) [m/s]."""
        speeds = [leg.speed_mps for leg in self.legs]
        return [*speeds, speeds[-1]] if self.then == "loop" else speeds

    @property
    def legs_s(self) -> list[float]:
        """The time from one point to the next, (k,) [s]."""
        return [math.dist(*ends) / speed for ends, speed in zip(pairwise(self.points), self.speeds, strict=True)]

    @property
    def turns_s(self) -> list[float]:
        """The time that the change of velocity at the end of each leg takes, (k,) [s]."""
        if self.turn_acceleration_mps2 is None:
            return [0.0] * len(self.speeds)
        velocities = [
            [(there - here) / leg_s for here, there in zip(*ends, strict=True)]
            for ends, leg_s in zip(pairwise(self.points), self.legs_s, strict=True)
        ]
        velocities.append(velocities[0] if self.then == "loop" else [0.0, 0.0, 0.0])
        return [math.dist(before, after) / self.turn_acceleration_mps2 for before, after in pairwise(velocities)]


class OrbitSpec(Spec):
    """A circle around a point, clockwise seen from above; counter-clockwise for inclinations above 90°."""

    kind: Literal["orbit"] = "orbit"
    centre_m: Point
    radius_m: Length
    period_s: Annotated[Number, Field(gt=0, le=1e7)] | None = None
    speed_mps: Speed | None = None
    inclination_deg: Annotated[Number, Field(ge=0, le=180)] = 0.0
    node_deg: Number = 0.0  # bearing of the ascending node from the centre
    phase_deg: Number = 0.0  # angle past the node at the begin

    @model_validator(mode="after")
    def _period_or_speed(self) -> Self:
        if (self.period_s is None) == (self.speed_mps is None):
            raise field_error(("period_s",), "expected either period_s or speed_mps")
        return self

    @property
    def rate_radps(self) -> float:
        """Angular rate [rad/s]."""
        if self.period_s is not None:
            return 2 * math.pi / self.period_s
        return (self.speed_mps or 0.0) / self.radius_m


MotionSpec = Annotated[
    ConstantVelocitySpec | CoordinatedTurnSpec | WaypointsSpec | OrbitSpec, Field(discriminator="kind")
]
