"""Time stamps as the contract writes them: UTC, RFC 3339, six decimals and `Z`."""

from datetime import UTC, datetime


def now() -> datetime:
    """Wall time; for `ts_ingest` and logs only, never for anything that a run computes."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Text of a zoned time.

    Raises:
        ValueError: `moment` has no zone, or is none in UTC.
    """
    if moment.tzinfo is None:
        raise ValueError("time without a zone")
    return utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """The time that `text` names, in UTC.

    Raises:
        ValueError: not a time, or one without a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {text}")
    return utc(moment)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: its year is 0 or 10000 there.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the years 1 to 9999 in UTC: {moment.isoformat()}") from None
