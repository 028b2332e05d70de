"""When nobody has moved a case for days, counted in whole business days of its calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.calendar import Calendar, around_the_clock, colombia
from acuse.policy.fields import InvalidField
from acuse.policy.quiet import QUIET_DAYS, quiet_before

HOME = colombia((2025, 2026, 2027), reviewed=(2025, 2026, 2027))
MOMENTS = st.datetimes(datetime(2026, 1, 15), datetime(2027, 6, 1), timezones=st.just(UTC))


def days_between(calendar: Calendar, first: date, last: date) -> int:
    """Whole business days strictly between two days."""
    days = range(1, (last - first).days)
    return sum(calendar.is_business_day(first + timedelta(days=n)) for n in days)


@given(MOMENTS, st.integers(1, 20))
def test_just_before_is_quiet_and_just_after_is_not(now: datetime, days: int) -> None:
    since = quiet_before(HOME, now, days)
    today = HOME.local_day(now)
    before = HOME.local_day(since - timedelta(microseconds=1))
    assert days_between(HOME, before, today) == days
    assert days_between(HOME, HOME.local_day(since), today) == days - 1


def test_weekends_and_holidays_do_not_count() -> None:
    # Monday 16 November 2026 is a holiday: between the 12th and the 20th lie 13, 17, 18 and 19.
    friday = datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert HOME.local_day(quiet_before(HOME, friday, 4)) == date(2026, 11, 13)
    monday = datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert HOME.local_day(quiet_before(HOME, monday)) == date(2026, 11, 13)
    assert QUIET_DAYS == 5


def test_round_the_clock_every_day_counts() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert quiet_before(around_the_clock("UTC"), now, 5) == datetime(2026, 11, 17, tzinfo=UTC)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidField):
        quiet_before(HOME, datetime(2026, 11, 22))
    with pytest.raises(InvalidField):
        quiet_before(HOME, datetime(2026, 11, 22, tzinfo=UTC), 0)
