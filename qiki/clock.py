"""Time stamps as they stand in messages: UTC, RFC 3339, six decimals and `Z`."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Write a zoned time as text; ValueError without a zone, or outside the years 1 to 9999 in UTC."""
    if moment.tzinfo is None:
        raise ValueError("time without a zone")
    return utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read a time, in UTC; ValueError if it is not a time or has no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without a zone: {text}")
    return utc(moment)


def utc(moment: datetime) -> datetime:
    """Convert a zoned time to UTC; ValueError outside the years 1 to 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"outside the years 1 to 9999 in UTC: {moment.isoformat()}") from None
