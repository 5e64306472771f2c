"""The truth in the place of tracks, for flights that need no tracker."""

import numpy as np

from qiki.contracts.enums import RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.geometry import spherical
from qiki.tracking import TrackReports
from qiki.tracking.scan import EPOCH, MICROSECOND
from qiki.tracking.tracks import NO_PLOT
from qiki.world.contacts import Contacts, ContactStates
from qiki.world.world import MeasuredFrame

TRACKED, SHORT = int(RadarTrackStatus.TRACKED), int(RadarRangeBand.RR_SR)
SILENT = frozenset({int(TransponderMode.OFF), int(TransponderMode.SILENT)})


def reports_of_truth(contacts: Contacts, states: ContactStates, frame: MeasuredFrame) -> TrackReports:
    """Return a perfect track of each present contact: its id is the contact's, its side the true one."""
    rows = np.flatnonzero(states.present)
    count, zeros = len(rows), np.zeros(len(rows))
    position = states.positions[rows] - np.array(frame.own_position_m)
    velocity = states.velocities[rows] - np.array(frame.own_velocity_mps)
    range_m, bearing_rad, elevation_rad = spherical(position)
    modes = states.transponder_modes[rows]
    return TrackReports(
        t_us=(frame.timestamp - EPOCH) // MICROSECOND,
        track_id=[contacts.id_texts[row] for row in rows],
        object_type=contacts.object_types[rows].astype(np.int8),
        type_confidence=np.ones(count),
        iff=contacts.iffs[rows].astype(np.int8),
        transponder_on=np.array([mode not in SILENT for mode in modes.tolist()], dtype=np.bool_),
        transponder_mode=modes.astype(np.int8),
        transponder_id=states.claimed_ids[rows].tolist(),
        quality=np.ones(count),
        status=np.full(count, TRACKED, np.int8),
        range_m=range_m,
        bearing_deg=np.degrees(bearing_rad) % 360.0,
        elev_deg=np.degrees(elevation_rad),
        vr_mps=np.vecdot(position, velocity) / np.maximum(range_m, np.finfo(np.float64).tiny),
        snr_db=zeros,
        rcs_dbsm=10 * np.log10(contacts.rcs_m2[rows]),
        position=position,
        velocity=velocity,
        position_covariance=np.zeros((count, 6)),
        velocity_covariance=np.zeros((count, 6)),
        age_s=zeros,
        miss_count=np.zeros(count, np.int32),
        range_band=np.full(count, SHORT, np.int8),
        plot=np.full(count, NO_PLOT),
    )
