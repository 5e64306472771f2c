"""A scenario offline: world, radar and tracker, core to core; no socket and no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np

from qiki.arrays import Array
from qiki.botspec import generate, load_spec
from qiki.contracts.enums import RadarRangeBand
from qiki.geometry import unit_vectors
from qiki.radar.model import SR_THRESHOLD_M
from qiki.tracking import Scan, Tracker, TrackerParameters, TrackReports
from qiki.tracking.scan import EPOCH, MICROSECOND, SECOND_US
from qiki.world.frames import MeasuredFrame
from qiki.world.scenario import Scenario
from qiki.world.ticks import TICK_S
from qiki.world.world import World
from qiki_harness.scoring.believed import believed
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth, symmetric

OFFLINE = UUID("a1b1b6f0-5a0f-5d0b-9a57-8d3a6f0c7c11")
"""Namespace of the offline runs' identities."""


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What the radar measured, and what was really there."""

    scan: Scan
    truth: Truth


def looks(scenario: Scenario, seed: int, seconds: float) -> Iterator[Look]:
    """Fly a scenario; one look a radar frame. The same scenario and seed give the same looks."""
    run_id = uuid5(OFFLINE, f"{scenario.name}:{seed}")
    parameters = generate(load_spec()).hardware_profile.parameters
    world = World(scenario, parameters, seed, run_id, SR_THRESHOLD_M)
    reach_m = scenario.radar.max_range_m
    for _ in range(round(seconds / TICK_S)):
        frame = world.tick().frame
        if frame is not None:
            yield Look(scan_of(frame), _truth(world, frame, reach_m))


def track(flown: Iterable[Look], tracker: Tracker) -> Iterator[ScanRecord]:
    """Track the looks of a run."""
    first_us: int | None = None
    for look in flown:
        first_us = look.scan.t_us if first_us is None else first_us
        tracks = believed_tracks(tracker.step(look.scan), look.scan.own_position, look.scan.own_velocity)
        plots = look.scan.own_position + look.scan.range_m[:, None] * look.scan.line_of_sight
        yield ScanRecord((look.scan.t_us - first_us) / SECOND_US, look.truth, tracks, plots)


def fly(scenario: Scenario, seed: int, seconds: float) -> Iterator[ScanRecord]:
    """A scenario tracked by the platform's tracker, as the bridge would."""
    parameters = TrackerParameters().of_radar(scenario.radar.unlike_default)
    tracker = Tracker(uuid5(OFFLINE, scenario.name), parameters, scenario.identities)
    return track(looks(scenario, seed, seconds), tracker)


def scan_of(frame: MeasuredFrame) -> Scan:
    """The tracker's scan of a frame, past the wire; its values are rounded as on the wire."""
    plots = frame.detections
    return Scan(
        t_us=(frame.timestamp - EPOCH) // MICROSECOND,
        own_position=np.array(frame.own_position_m, dtype=np.float64),
        own_velocity=np.array(frame.own_velocity_mps, dtype=np.float64),
        range_m=plots.range_m,
        line_of_sight=unit_vectors(np.radians(plots.bearing_deg), np.radians(plots.elev_deg)),
        doppler_mps=plots.vr_mps,
        snr_db=plots.snr_db,
        rcs_dbsm=plots.rcs_dbsm,
        long_range=plots.range_band == RadarRangeBand.RR_LR,
        transponder_on=plots.transponder_on,
        transponder_mode=plots.transponder_mode.astype(np.int8),
        transponder_id=plots.transponder_id.tolist(),
    )


def believed_tracks(reports: TrackReports, own_position: Array, own_velocity: Array) -> Tracks:
    """The tracks of a tracker's reports that are believed in, in world axes."""
    rows = np.flatnonzero(believed(reports.status, reports.quality))
    return Tracks(
        [reports.track_id[row] for row in rows.tolist()],
        reports.position[rows] + own_position,
        reports.velocity[rows] + own_velocity,
        symmetric(reports.position_covariance[rows]),
        symmetric(reports.velocity_covariance[rows]),
    )


def _truth(world: World, frame: MeasuredFrame, reach_m: float) -> Truth:
    """The contacts that are there, within the radar's instrumented range."""
    contacts = world.contacts
    apart = contacts.positions - np.array(frame.own_position_m)
    rows = np.flatnonzero(contacts.present & (np.vecdot(apart, apart) <= reach_m**2))
    ids = [contacts.names[row] for row in rows.tolist()]
    return Truth(ids, contacts.positions[rows], contacts.velocities[rows])
