"""Field types of scenario files, and motions of contacts. Every motion begins when its contact appears."""

import math
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.fields import Length, Number, Spec, field_error, member

Seconds = Annotated[Number, Field(ge=0, le=1e7)]
Metres = Annotated[Number, Field(ge=-1e7, le=1e7)]
Speed = Annotated[Number, Field(gt=0, le=1e5)]
Velocity = Annotated[Number, Field(ge=-1e5, le=1e5)]
Point = tuple[Metres, Metres, Metres]  # x, y, z [m] in world axes: east, north, up
VelocityVector = tuple[Velocity, Velocity, Velocity]  # x, y, z [m/s] in world axes

ObjectTypeName = Annotated[
    ObjectType, BeforeValidator(member(ObjectType, ("DRONE", "SHIP", "STATION", "ASTEROID", "DEBRIS")))
]
SideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE", "UNKNOWN")))]
KnownSideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE")))]
ModeName = Annotated[TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT", "SPOOF")))]
HonestModeName = Annotated[TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT")))]


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
    """A sequence of legs, then a stop; or a loop, which closes at the last leg's speed and repeats."""

    kind: Literal["waypoints"] = "waypoints"
    position_m: Point
    legs: Annotated[tuple[Leg, ...], Field(min_length=1, max_length=100)]
    then: Literal["hold", "loop"] = "hold"

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
