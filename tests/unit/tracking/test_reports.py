"""Reports are the contract's tracks: valid, complete, in order, and consistent in themselves."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pydantic_core
import pytest

from qiki.contracts.radar import RadarTrack
from qiki.geometry import unit_vectors
from qiki.tracking import Scan, Tracker, TrackReports
from qiki.tracking.bodies import track_bodies
from qiki.tracking.tracks import NO_PLOT

KEYS = [
    "schema_version",
    "track_id",
    "object_type",
    "iff",
    "transponder_on",
    "transponder_mode",
    "transponder_id",
    "quality",
    "status",
    "range_m",
    "bearing_deg",
    "elev_deg",
    "vr_mps",
    "snr_db",
    "rcs_dbsm",
    "position",
    "velocity",
    "position_covariance",
    "velocity_covariance",
    "age_s",
    "miss_count",
    "timestamp",
    "ts_event",
    "ts_ingest",
    "range_band",
    "id_present",
]


@pytest.fixture
def history(make_scans: Callable[[int], list[Scan]], make_tracker: Callable[..., Tracker]):
    tracker = make_tracker()
    return [tracker.step(scan) for scan in make_scans(20)]


def test_rows_have_the_keys_of_the_contract_in_its_order(history: list[TrackReports]):
    rows = [row for reports in history for row in reports.rows()]
    assert len(rows) > 200
    assert all(list(row) == KEYS for row in rows)


def test_rows_survive_the_contracts_model_unchanged(history: list[TrackReports]):
    for reports in history:
        for row in reports.rows(ts_ingest="2026-11-01T00:00:00.000000Z"):
            track = RadarTrack.from_json(pydantic_core.to_json(row))
            assert json.loads(track.to_json()) == row


def test_bodies_are_the_rows_byte_for_byte(history: list[TrackReports]):
    odd = replace(
        history[-1], transponder_id=['"\\\n\x00é☃' for _ in history[-1].track_id], vr_mps=history[-1].vr_mps * 1e-300
    )
    for reports in (*history, odd):
        rows = reports.rows(ts_ingest="2026-11-01T00:00:00.000000Z")
        assert track_bodies(reports, "2026-11-01T00:00:00.000000Z") == [pydantic_core.to_json(row) for row in rows]


def test_event_time_is_written_to_the_microsecond(history: list[TrackReports]):
    row = history[1].rows()[0]
    assert row["timestamp"] == row["ts_event"] == "2026-09-21T14:13:20.500000Z"
    assert row["ts_ingest"] is None


def test_spherical_and_cartesian_agree(history: list[TrackReports]):
    for reports in history:
        sight = unit_vectors(np.radians(reports.bearing_deg), np.radians(reports.elev_deg))
        np.testing.assert_allclose(reports.range_m[:, None] * sight, reports.position, atol=1e-6)
        np.testing.assert_allclose((sight * reports.velocity).sum(1), reports.vr_mps, atol=1e-6)


def test_bands_follow_the_range(history: list[TrackReports]):
    for reports in history:
        np.testing.assert_array_equal(reports.range_band == 2, reports.range_m <= 5_000)
        assert set(reports.range_band.tolist()) <= {1, 2}


def test_identity_is_present_where_there_is_one(history: list[TrackReports]):
    rows = [row for reports in history for row in reports.rows()]
    assert {row["id_present"] for row in rows} == {True, False}
    assert all(row["id_present"] == (row["transponder_id"] is not None) for row in rows)


def test_order_is_that_of_birth(history: list[TrackReports]):
    for before, after in pairwise(history):
        common = [name for name in before.track_id if name in set(after.track_id)]
        assert [name for name in after.track_id if name in set(common)] == common


def test_the_plot_of_each_track_is_told(make_scans: Callable[[int], list[Scan]], make_tracker: Callable[..., Tracker]):
    tracker, missed = make_tracker(), 0
    for scan in make_scans(20):
        reports = tracker.step(scan)
        rows = np.flatnonzero(reports.plot != NO_PLOT)
        assert sorted(set(reports.plot[rows].tolist())) == list(range(scan.size))
        off_m = np.abs(reports.range_m[rows] - scan.range_m[reports.plot[rows]])
        assert (off_m < 50).all()
        assert (reports.miss_count[rows] == 0).all()
        assert (np.delete(reports.miss_count, rows) > 0).all()
        missed += len(reports) - len(rows)
    assert missed > 0


def test_no_tracks_are_no_rows(make_tracker: Callable[..., Tracker], radar: Any, world: Any):
    reports = make_tracker().step(radar.look(0.0, world(np.zeros((0, 3)), np.zeros((0, 3)))))
    assert reports.rows() == track_bodies(reports, "") == []
