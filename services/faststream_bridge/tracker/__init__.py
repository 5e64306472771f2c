"""The tracker: scans in, one report a track out. Pure: event time only, no chance, no input or output."""

from faststream_bridge.tracker.errors import ScanError, SnapshotError, TimeReversedError, TrackerError
from faststream_bridge.tracker.parameters import TrackerParameters
from faststream_bridge.tracker.reports import TrackReports
from faststream_bridge.tracker.scan import Scan, scan_from_frame
from faststream_bridge.tracker.tracker import Tracker

__all__ = [
    "Scan",
    "ScanError",
    "SnapshotError",
    "TimeReversedError",
    "TrackReports",
    "Tracker",
    "TrackerError",
    "TrackerParameters",
    "scan_from_frame",
]
