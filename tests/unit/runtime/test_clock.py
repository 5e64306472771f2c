"""Time stamps as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.clock import parse_rfc3339, rfc3339
from qiki.runtime.clock import now

FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001  # bounds have no zone here


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02T03:04:05.000006Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 0, timezone(timedelta(hours=5))), "2026-01-01T22:04:05.000000Z"),
        (datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00.000000Z"),
    ],
)
def test_utc_six_decimals_and_z(moment: datetime, text: str):
    assert rfc3339(moment) == text


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_text_and_time_are_one(moment: datetime):
    text = rfc3339(moment)
    assert len(text) == 27
    assert parse_rfc3339(text) == moment


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time without a zone"):
        rfc3339(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time without a zone: 2026-01-01T00:00:00"):
        parse_rfc3339("2026-01-01T00:00:00")


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_what_is_no_time_in_utc_is_refused(text: str):
    with pytest.raises(ValueError):
        parse_rfc3339(text)


def test_now_is_in_utc():
    assert now().utcoffset() == timedelta(0)
