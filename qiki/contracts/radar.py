"""Radar frames, tracks, tracked frames and guard alerts."""

from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import Field, model_validator

from qiki.contracts.enums import FriendFoe, ObjectType, RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.contracts.fields import Covariance, Finite, FrameNumber, NonNegative, Payload, Timestamp, Vector
from qiki.contracts.numbers import MAX_COUNT

MAX_DETECTIONS = 4000
MAX_FRAME_BYTES = 512 * MAX_DETECTIONS + 4096
"""A detection takes up to 371 bytes, with an identity of 63 letters, the longest that a scenario may give."""
MAX_FRAME_NODES = 4 * MAX_DETECTIONS  # objects and lists in a frame, unknown fields included

MAX_TRANSPONDER_ID = 128
"""Letters of an identity; a scenario's has at most 68."""
UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
"""Control characters, and those without a shape that direct how others are shown, as ranges of a regular expression."""

TransponderId = Annotated[str, Field(max_length=MAX_TRANSPONDER_ID, pattern=f"^[^{UNPRINTABLE}]*$")]
Bearing = Annotated[float, Field(ge=0, lt=360, allow_inf_nan=False)]
Elevation = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


T = TypeVar("T", "RadarDetection", "RadarTrack")


def _long_range_is_anonymous(report: T) -> T:
    """Refuse an identity in long range, where no reply is read."""
    if report.range_band == RadarRangeBand.RR_LR and (report.transponder_id or report.id_present):
        raise ValueError("long range carries no identity: transponder_id and id_present must be empty")
    return report


class RadarDetection(Payload):
    """One plot: the radar's measurement and the claims of the transponder's reply."""

    range_m: NonNegative
    bearing_deg: Bearing
    elev_deg: Elevation
    vr_mps: Finite
    snr_db: NonNegative
    rcs_dbsm: Finite
    transponder_on: bool = False
    transponder_mode: TransponderMode = TransponderMode.OFF
    transponder_id: TransponderId | None = None
    range_band: RadarRangeBand = RadarRangeBand.RR_UNSPECIFIED
    id_present: bool | None = None

    _long_range_is_anonymous = model_validator(mode="after")(_long_range_is_anonymous)


def _event_time(values: object) -> object:
    """Set `ts_event`, which is `timestamp` under its later name."""
    if isinstance(values, dict) and "timestamp" in values:
        return values | {"ts_event": values["timestamp"]}
    return values


class RadarFrame(Payload):
    """One scan."""

    schema_version: int = Field(default=1, ge=1, le=1)
    frame_id: UUID
    sensor_id: UUID
    timestamp: Timestamp
    ts_event: Timestamp | None = None
    ts_ingest: Timestamp | None = None
    # Without fail_fast a list of all faults is made, which may take gigabytes.
    detections: tuple[RadarDetection, ...] = Field(default=(), max_length=MAX_DETECTIONS, fail_fast=True)

    _event_time = model_validator(mode="before")(_event_time)


class RadarTrack(Payload):
    """One track at one frame; position and velocity relative to the bot, in world axes."""

    schema_version: int = Field(default=1, ge=1, le=1)
    track_id: UUID
    object_type: ObjectType = ObjectType.OBJECT_TYPE_UNSPECIFIED
    iff: FriendFoe = FriendFoe.UNKNOWN
    transponder_on: bool = False
    transponder_mode: TransponderMode = TransponderMode.OFF
    transponder_id: TransponderId | None = None
    quality: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    status: RadarTrackStatus
    range_m: NonNegative
    bearing_deg: Bearing
    elev_deg: Elevation
    vr_mps: Finite
    snr_db: NonNegative
    rcs_dbsm: Finite
    position: Vector | None = None
    velocity: Vector | None = None
    position_covariance: Covariance | None = None
    velocity_covariance: Covariance | None = None
    age_s: NonNegative = 0.0
    miss_count: int = Field(default=0, ge=0)
    timestamp: Timestamp
    ts_event: Timestamp | None = None
    ts_ingest: Timestamp | None = None
    range_band: RadarRangeBand = RadarRangeBand.RR_UNSPECIFIED
    id_present: bool | None = None

    _event_time = model_validator(mode="before")(_event_time)
    _long_range_is_anonymous = model_validator(mode="after")(_long_range_is_anonymous)


class TrackedFrame(Payload):
    """Notice that a frame's tracks are stored, with their number."""

    run_id: str
    frame_id: UUID
    frame: FrameNumber
    timestamp: Timestamp
    tracks: int = Field(ge=0, le=MAX_COUNT)


class GuardAlert(Payload):
    """Alert of a guard rule that a track met."""

    schema_version: int = 1
    category: str = "radar"
    kind: str = "guard_alert"
    source: str = "guard"
    subject: str
    ts_epoch: Finite
    rule_id: str
    id: UUID
    track_id: UUID
    fsm_event: str
    severity: str
    message: str
    range_m: NonNegative
    quality: Finite
    iff: FriendFoe
    transponder_on: bool
    transponder_mode: TransponderMode
