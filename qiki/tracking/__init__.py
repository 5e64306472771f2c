"""The tracker: scans in, one report a track out. Pure: event time only, no randomness, no I/O."""

from qiki.tracking.errors import ScanError, SnapshotError, TimeReversedError, TrackerError
from qiki.tracking.estimates import Estimates, predict
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.reports import TrackReports
from qiki.tracking.scan import Scan, scan_from_frame
from qiki.tracking.tracker import Tracker

__all__ = [
    "Estimates",
    "Scan",
    "ScanError",
    "SnapshotError",
    "TimeReversedError",
    "TrackReports",
    "Tracker",
    "TrackerError",
    "TrackerParameters",
    "predict",
    "scan_from_frame",
]
