"""The tracker's error tree.

    QikiError
    └── TrackerError
        ├── ScanError           numbers beyond those of any radar
        ├── TimeReversedError   a scan older than the one before it
        └── SnapshotError       bytes that are no snapshot of this tracker

A tracker is unchanged by a call that raised one.
"""

from qiki.errors import QikiError


class TrackerError(QikiError):
    """Root of the tracker's errors. The tracker is unchanged by the call that raised it."""


class ScanError(TrackerError):
    """A scan with numbers beyond those of any radar, or with too many detections."""


class TimeReversedError(TrackerError):
    """A scan older than the one before it.

    Attributes:
        t_us: event time of the scan [µs]
        last_us: event time of the newest scan taken [µs]
    """

    def __init__(self, t_us: int, last_us: int) -> None:
        super().__init__(f"scan of {t_us} µs is {last_us - t_us} µs older than the one before it")
        self.t_us = t_us
        self.last_us = last_us


class SnapshotError(TrackerError):
    """Bytes that are no snapshot, or one of another version of the tracker."""
