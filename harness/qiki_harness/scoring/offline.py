"""A scenario scored in one process: flown, tracked, and put beside the truth."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from qiki.arrays import Array
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, scan_of
from qiki.tracking import Estimates, Scan, TrackReports
from qiki.tracking.scan import SECOND_US
from qiki.world.scenario import Scenario
from qiki.world.world import MeasuredFrame, SimWorld
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth, split, symmetric


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """One look of the radar: the plots, and the contacts that were there."""

    scan: Scan
    truth: Truth


def fly(scenario: Scenario, seed: int, seconds: float) -> Iterator[ScanRecord]:
    """Yield a record a radar frame, tracked by the platform's tracker; the same scenario and seed give the same."""
    flight = Flight(scenario, seed=seed, agent=None)
    first_us: int | None = None
    for moment in flight.fly(seconds):
        if moment.frame is None:
            continue
        look = _look(flight.world, moment.frame.measured)
        scan = look.scan
        first_us = scan.t_us if first_us is None else first_us
        reports = moment.frame.tracked.reports
        tracks = tracks_of(reports, scan.own_position, scan.own_velocity)
        sure, doubted = split(tracks, reports.status, reports.quality)
        sure = _with_estimates(sure, flight.estimates())
        plots = scan.own_position + scan.range_m[:, None] * scan.line_of_sight
        yield ScanRecord((scan.t_us - first_us) / SECOND_US, look.truth, sure, plots, scan.own_position, doubted)


def looks(scenario: Scenario, seed: int, seconds: float) -> Iterator[Look]:
    """Yield the looks of the same run without tracking them: for trackers that are put beside ours."""
    world = Flight(scenario, seed=seed, agent=None).world
    for _ in range(round(seconds / TICK_S)):
        if (frame := world.tick().frame) is not None:
            yield _look(world, frame)


def tracks_of(reports: TrackReports, own_position: Array, own_velocity: Array) -> Tracks:
    """Return the tracks of a tracker's reports in world axes."""
    return Tracks(
        reports.track_id,
        reports.position + own_position,
        reports.velocity + own_velocity,
        symmetric(reports.position_covariance),
        symmetric(reports.velocity_covariance),
        reports.quality,
    )


def _with_estimates(tracks: Tracks, estimates: Estimates) -> Tracks:
    place = {name: row for row, name in enumerate(estimates.track_id)}
    return replace(tracks, estimates=estimates.take(np.array([place[name] for name in tracks.ids], dtype=np.intp)))


def _look(world: SimWorld, frame: MeasuredFrame) -> Look:
    """Return a frame that was just measured, with the contacts that are within the radar's instrumented range."""
    contacts = world.contacts
    apart = contacts.positions - np.array(frame.own_position_m)
    rows = np.flatnonzero(contacts.present & (np.vecdot(apart, apart) <= world.scenario.radar.max_range_m**2))
    ids = [contacts.names[row] for row in rows.tolist()]
    return Look(scan_of(frame), Truth(ids, contacts.positions[rows], contacts.velocities[rows]))
