"""The wall clock, which the pure rooms must not read."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the wall time, in UTC: for `ts_ingest`, events of the process itself and logs."""
    return datetime.now(UTC)
