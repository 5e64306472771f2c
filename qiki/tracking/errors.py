"""The tracker's errors."""

from qiki.errors import QikiError


class TrackerError(QikiError):
    """Root of the tracker's errors. The tracker is unchanged by the call that raised it."""


class ScanError(TrackerError):
    """A scan with numbers beyond those of any radar, or with too many detections."""


class TimeReversedError(TrackerError):
    """A scan of event time `t_us`, older than the newest one taken, of `last_us` [µs]."""

    def __init__(self, t_us: int, last_us: int) -> None:
        super().__init__(f"scan of {t_us} µs is {last_us - t_us} µs older than the one before it")
        self.t_us, self.last_us = t_us, last_us


class SnapshotError(TrackerError):
    """Bytes that are no snapshot, or one of another version of the tracker."""
