"""Since when nobody has done anything on a case, so that somebody should look at it."""

from __future__ import annotations

from datetime import datetime, timedelta

from .calendar import Calendar
from .fields import require_aware, require_int

QUIET_DAYS = 5  # whole business days without a line of a person


def quiet_before(calendar: Calendar, now: datetime, days: int = QUIET_DAYS) -> datetime:
    """The moment before which the last line of a quiet case lies: between that line's day and
    today there have been `days` whole business days."""
    require_aware("now", now)
    require_int("days", days, 1, 60)
    day, left = calendar.local_day(now), days
    while left:  # it ends: every calendar works on some weekday, and has so many holidays
        day -= timedelta(days=1)
        left -= calendar.is_business_day(day)
    return calendar.end_of_day(day - timedelta(days=1))
