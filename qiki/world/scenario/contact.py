"""A contact, its transponder, and a swarm of contacts, as written in a scenario."""

import itertools
from typing import Annotated, Self

from pydantic import Field, model_validator

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.fields import Length, Name, Number, Spec, Whole, field_error
from qiki.radar.parameters import SwerlingCase
from qiki.world.scenario.motion import (
    HonestModeName,
    ModeName,
    MotionSpec,
    ObjectTypeName,
    Point,
    Seconds,
    SideName,
    TurnRate,
)

TYPICAL_RCS_M2 = {
    ObjectType.DRONE: 1.0,
    ObjectType.SHIP: 200.0,
    ObjectType.STATION: 2000.0,
    ObjectType.ASTEROID: 500.0,
    ObjectType.DEBRIS: 0.5,
}  # mean radar cross-section where none is given

Rcs = Annotated[Number, Field(ge=1e-6, le=1e8)]
Elevation = Annotated[Number, Field(ge=-90, le=90)]
SwarmSpeed = Annotated[Number, Field(ge=0, le=1e5)]


class ModeChange(Spec):
    """A change of the transponder's mode."""

    at_s: Seconds
    mode: ModeName


class TransponderSpec(Spec):
    """A contact's transponder."""

    mode: ModeName = TransponderMode.OFF
    id: Name | None = None
    spoof_id: Name | None = None
    schedule: Annotated[tuple[ModeChange, ...], Field(max_length=100)] = ()

    @property
    def modes(self) -> tuple[TransponderMode, ...]:
        """All modes, in order of time."""
        return (self.mode, *(change.mode for change in self.schedule))

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if TransponderMode.ON in self.modes and self.id is None:
            raise field_error((), "mode ON needs an id")
        if TransponderMode.SPOOF in self.modes and self.spoof_id is None:
            raise field_error((), "mode SPOOF needs a spoof_id: the identity that it claims")
        if self.spoof_id is not None and self.spoof_id == self.id:
            raise field_error(("spoof_id",), f"{self.spoof_id} is its own id (expected another contact's)")
        times = [0.0, *(change.at_s for change in self.schedule)]
        for i, (before, after) in enumerate(itertools.pairwise(times)):
            if after <= before:
                reason = f"{after:g} s is not after {before:g} s (expected rising times)"
                raise field_error(("schedule", i, "at_s"), reason)
        return self


class ContactSpec(Spec):
    """One contact."""

    id: Name
    object_type: ObjectTypeName
    side: SideName = FriendFoe.UNKNOWN
    rcs_m2: Rcs | None = None
    swerling: SwerlingCase | None = None  # fluctuation of its echo; None: the radar's own
    transponder: TransponderSpec = TransponderSpec()
    motion: MotionSpec
    appears_at_s: Seconds = 0.0
    disappears_at_s: Seconds | None = None

    @property
    def mean_rcs_m2(self) -> float:
        """Mean radar cross-section: as given, or typical of the type."""
        return TYPICAL_RCS_M2[self.object_type] if self.rcs_m2 is None else self.rcs_m2

    @model_validator(mode="after")
    def _disappears_after_it_appears(self) -> Self:
        if self.disappears_at_s is not None and self.disappears_at_s <= self.appears_at_s:
            reason = f"{self.disappears_at_s:g} s is not after appears_at_s, {self.appears_at_s:g} s"
            raise field_error(("disappears_at_s",), reason)
        return self


class SwarmSpec(Spec):
    """Many contacts of one kind in level turns, scattered over a shell; drawn from the run's seed."""

    id: Name
    count: Annotated[Whole, Field(ge=1, le=2000)]
    object_type: ObjectTypeName = ObjectType.DRONE
    side: SideName = FriendFoe.UNKNOWN
    rcs_m2: Rcs | None = None
    swerling: SwerlingCase | None = None
    transponder_mode: HonestModeName = TransponderMode.OFF  # ON: each member replies with its own contact id
    centre_m: Point = (0.0, 0.0, 0.0)
    radius_m: tuple[Length, Length]
    elev_deg: tuple[Elevation, Elevation] = (-20.0, 20.0)
    speed_mps: tuple[SwarmSpeed, SwarmSpeed]
    turn_rate_dps: tuple[TurnRate, TurnRate] = (0.0, 0.0)

    @model_validator(mode="after")
    def _bounds_ascend(self) -> Self:
        for name in ("radius_m", "elev_deg", "speed_mps", "turn_rate_dps"):
            low, high = getattr(self, name)
            if high < low:
                raise field_error((name,), f"{low:g} to {high:g} (expected the lower bound first)")
        return self

    def member_id(self, number: int) -> str:
        """Return the id of a member."""
        return f"{self.id}-{number:03d}"
