"""Moments of the demo's past, counted in business days back from today.

Terms run in business days, so a history told in them comes out the same on whatever day the demo
is made: what has to wait for the customer today does so today.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from acuse.policy.calendar import ONE_DAY, Calendar


class Days:
    """Business day 0 is the last one before today, wholly past at any hour; -1 the one before."""

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.zone)
        self._days: list[date] = []
        self._next = calendar.local_day(now) - ONE_DAY

    def on(self, day: int) -> date:
        """The date of business day `day` (0 or less)."""
        while len(self._days) <= -day:
            if self._calendar.is_business_day(self._next):
                self._days.append(self._next)
            self._next -= ONE_DAY
        return self._days[-day]

    def at(self, day: int, minute: int) -> datetime:
        """That business day at so many minutes after local midnight, in UTC."""
        local = datetime.combine(self.on(day), time()) + timedelta(minutes=minute)
        return local.replace(tzinfo=self._zone).astimezone(UTC)
