"""The form of a guard rule, and the conditions that it may have; the rules themselves are in `rules.yaml`."""

from enum import IntEnum
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from qiki.arrays import Array, Mask
from qiki.contracts.enums import FriendFoe, RadarTrackStatus, TransponderMode
from qiki.fields import AS_NAME, Spec, member
from qiki.tracking import TrackReports

TRACKED, COASTING = int(RadarTrackStatus.TRACKED), int(RadarTrackStatus.COASTING)


def _by_name(kind: type[IntEnum]) -> BeforeValidator:
    return BeforeValidator(member(kind, tuple(kind.__members__)))


Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
Side = Annotated[FriendFoe, _by_name(FriendFoe), AS_NAME]
Mode = Annotated[TransponderMode, _by_name(TransponderMode), AS_NAME]


class GuardRule(Spec):
    """Conditions under which a track raises an alert; one that is not given always holds."""

    id: Text
    description: Text
    severity: Literal["info", "warning", "critical"]
    fsm_event: Text
    iff: Side | None = None
    transponder_on: bool | None = None
    transponder_modes: tuple[Mode, ...] | None = None
    min_range_m: Metres = 0.0
    max_range_m: Metres
    min_quality: Annotated[float, Field(ge=0, le=1)] = 0.0
    hysteresis_m: Metres = 0.0
    min_duration_s: Seconds = 0.0
    cooldown_s: Seconds = 60.0

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.min_range_m > self.max_range_m:
            raise ValueError(f"min_range_m {self.min_range_m:g} is beyond max_range_m {self.max_range_m:g}")
        return self

    def matches(self, reports: TrackReports) -> Mask:
        """Return the tracks that meet all conditions but the range: (n,)."""
        met: Mask = (reports.status == TRACKED) | (reports.status == COASTING)
        met &= reports.quality >= self.min_quality
        if self.iff is not None:
            met &= reports.iff == int(self.iff)
        if self.transponder_on is not None:
            met &= reports.transponder_on == self.transponder_on
        if self.transponder_modes is not None:
            met &= np.logical_or.reduce([reports.transponder_mode == int(mode) for mode in self.transponder_modes])
        return met

    def covers(self, range_m: Array, margin_m: float) -> Mask:
        """Return which ranges (n,) [m] lie within the rule's, widened by a margin: (n,)."""
        return (range_m >= self.min_range_m - margin_m) & (range_m <= self.max_range_m + margin_m)


class GuardRules(Spec):
    """A file of rules."""

    rules: tuple[GuardRule, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"rule {twice} is given twice")
        return self
