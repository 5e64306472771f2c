"""Reports: the state of each track after a scan, in the units of the wire."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Index, Mask
from qiki.clock import rfc3339
from qiki.contracts.enums import FriendFoe, RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.contracts.radar import RadarTrack
from qiki.geometry import spherical
from qiki.tracking.classify import object_types
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.scan import EPOCH, SECOND_US, Scan
from qiki.tracking.score import existence
from qiki.tracking.tracks import NOBODY, POSITION, VELOCITY, Estimate, TrackTable

UPPER = np.triu_indices(3)
# Plain numbers: numpy takes members of an enumeration four times as slowly.
UNKNOWN, OFF, SPOOF = int(FriendFoe.UNKNOWN), int(TransponderMode.OFF), int(TransponderMode.SPOOF)
NEW, TRACKED = int(RadarTrackStatus.NEW), int(RadarTrackStatus.TRACKED)
COASTING, LOST = int(RadarTrackStatus.COASTING), int(RadarTrackStatus.LOST)
SHORT, LONG = int(RadarRangeBand.RR_SR), int(RadarRangeBand.RR_LR)
KEYS = tuple(RadarTrack.model_fields)


@dataclass(frozen=True, eq=False, slots=True)
class TrackReports:
    """One report a track, in the order of birth; position and velocity relative to the bot, in world axes."""

    t_us: int  # event time of the scan [µs]
    track_id: Sequence[str]  # n UUIDs as text
    object_type: NDArray[np.int8]  # (n,) ObjectType
    type_confidence: Array  # (n,) probability of that type, 0 where none is reported
    iff: NDArray[np.int8]  # (n,) FriendFoe
    transponder_on: Mask  # (n,)
    transponder_mode: NDArray[np.int8]  # (n,) TransponderMode
    transponder_id: Sequence[str | None]  # n claims, None where there is none
    quality: Array  # (n,) probability that the track is a real contact
    status: NDArray[np.int8]  # (n,) RadarTrackStatus
    range_m: Array  # (n,)
    bearing_deg: Array  # (n,) in [0, 360)
    elev_deg: Array  # (n,)
    vr_mps: Array  # (n,)
    snr_db: Array  # (n,)
    rcs_dbsm: Array  # (n,)
    position: Array  # (n, 3) [m]
    velocity: Array  # (n, 3) [m/s]
    position_covariance: Array  # (n, 6) upper triangle [m²]
    velocity_covariance: Array  # (n, 6) upper triangle [m²/s²]
    age_s: Array  # (n,)
    miss_count: NDArray[np.int32]  # (n,)
    range_band: NDArray[np.int8]  # (n,) RadarRangeBand
    plot: Index  # (n,) the plot that it was corrected by, or began with, NO_PLOT where it was missed; not published

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def moment(self) -> datetime:
        """Event time."""
        return EPOCH + timedelta(microseconds=self.t_us)

    @property
    def timestamp(self) -> str:
        """Event time, RFC 3339."""
        return rfc3339(self.moment)

    def take(self, rows: Index) -> "TrackReports":
        """Return those of an index."""
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "t_us"}
        taken: dict[str, Any] = {
            name: column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows.tolist()]
            for name, column in columns.items()
        }
        return replace(self, **taken)

    def rows(self, ts_ingest: str | None = None) -> list[dict[str, Any]]:
        """Return RadarTrack payloads, the contract's keys in its order; `ts_ingest` is wall time, RFC 3339."""
        timestamp = self.timestamp
        others: dict[str, Iterable[Any]] = {
            "schema_version": repeat(1),
            "position": ({"x": x, "y": y, "z": z} for x, y, z in self.position.tolist()),
            "velocity": ({"x": x, "y": y, "z": z} for x, y, z in self.velocity.tolist()),
            "timestamp": repeat(timestamp),
            "ts_event": repeat(timestamp),
            "ts_ingest": repeat(ts_ingest),
            "id_present": (name is not None for name in self.transponder_id),
            "track_id": self.track_id,
            "transponder_id": self.transponder_id,
        }
        columns = [others[key] if key in others else getattr(self, key).tolist() for key in KEYS]
        return [dict(zip(KEYS, row, strict=True)) for row in zip(*columns, strict=False)]


def report(
    tracks: TrackTable,
    estimate: Estimate,
    gone: Mask,
    plot: Index,
    scan: Scan,
    track_ids: Sequence[str],
    names: Sequence[str],
    sides: NDArray[np.int8],
    parameters: TrackerParameters,
) -> TrackReports:
    """Report all tracks: the table after the scan, with the tracks that are `gone`, (n,), deleted now.

    `plot`, (n,), is the plot of each. `names` are the identities by index, `sides` the FriendFoe of each.
    """
    position = estimate.mean[:, POSITION] - scan.own_position
    velocity = estimate.mean[:, VELOCITY] - scan.own_velocity
    range_m, bearing_rad, elevation_rad = spherical(position)
    bearing_deg = np.degrees(bearing_rad)
    short = range_m <= parameters.short_range_m
    reply = np.where(short, tracks["reply"], NOBODY)
    mode = np.where(tracks["spoof"], SPOOF, tracks["reply_mode"])
    alive = np.where(tracks["confirmed"], np.where(tracks["hit"], TRACKED, COASTING), NEW)
    kinds, confidence = object_types(tracks, estimate, short, gone, parameters)
    known = ~tracks["spoof"] & (tracks["identity"] != NOBODY) & (tracks["claims"] >= parameters.identity_claims)
    return TrackReports(
        t_us=scan.t_us,
        track_id=track_ids,
        object_type=kinds,
        type_confidence=confidence,
        iff=np.where(known, sides[tracks["identity"]], UNKNOWN).astype(np.int8),
        transponder_on=tracks["reply_on"] & short,
        transponder_mode=np.where(short, mode, OFF).astype(np.int8),
        transponder_id=[None if index == NOBODY else names[index] for index in reply.tolist()],
        quality=existence(tracks["llr"]),
        status=np.where(gone, LOST, alive).astype(np.int8),
        range_m=range_m,
        bearing_deg=np.where(bearing_deg >= 360.0, 0.0, bearing_deg),
        elev_deg=np.degrees(elevation_rad),
        vr_mps=np.vecdot(position, velocity) / np.maximum(range_m, np.finfo(np.float64).tiny),
        snr_db=np.maximum(10 * np.log10(tracks["snr"]), 0.0),
        rcs_dbsm=10 * np.log10(tracks["rcs_m2"]),
        position=position,
        velocity=velocity,
        position_covariance=estimate.covariance[:, UPPER[0], UPPER[1]],
        velocity_covariance=estimate.covariance[:, UPPER[0] + 3, UPPER[1] + 3],
        age_s=(scan.t_us - tracks["born_us"]) / SECOND_US,
        miss_count=tracks["misses"].copy(),
        range_band=np.where(short, SHORT, LONG).astype(np.int8),
        plot=plot,
    )
