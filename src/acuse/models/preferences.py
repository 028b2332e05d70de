"""How a person wants to be told, and by which clock: their zone and working hours."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace

from django.db import models

from ..policy.calendar import Calendar
from ..policy.notices import Preferences, read_ways
from .contracts import CalendarVersion
from .people import Person
from .routing import Skills

STANDARD = "standard"  # the firm's own calendar
HOME_ZONE = "America/Bogota"


class NoticePreferences(models.Model):
    """What a person has chosen (policy/notices.py); whoever has no row is told all at once.

    `ways`: {group: way}, only what is not at once.
    """

    person = models.OneToOneField(
        Person, primary_key=True, on_delete=models.CASCADE, related_name="preferences"
    )
    ways = models.JSONField(default=dict)
    daily_hour = models.PositiveSmallIntegerField(default=8)
    quiet = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(daily_hour__lte=23), name="daily_hour_of_a_day"
            )
        ]

    def __str__(self) -> str:
        return str(self.person)

    @property
    def chosen(self) -> Preferences:
        return Preferences(read_ways(self.ways), self.daily_hour, self.quiet)


def find_preferences(person: Person) -> Preferences | None:
    """What this person chose; None: nothing, all is told at once. No query where the person was
    read together with their preferences."""
    try:
        return person.preferences.chosen
    except NoticePreferences.DoesNotExist:
        return None


def zone_of(person: Person) -> str:
    """The person's time zone (IANA); the firm's home where theirs is none."""
    try:
        return zoneinfo.ZoneInfo(person.zone).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return HOME_ZONE


def calendar_of(person: Person) -> Calendar | None:
    """The working hours of a person: the newest of the calendar they work by, by its own clocks
    (as routing sees them); without one the firm's, by the clocks of where the person is. One
    query, asked by the worker for whoever wants quiet."""
    own = Skills.objects.filter(person=person).values("calendar")
    known = CalendarVersion.objects.filter(models.Q(name=STANDARD) | models.Q(name__in=own))
    firms_last = models.Case(models.When(name=STANDARD, then=1), default=0)
    kept = known.order_by(firms_last, "-number").first()
    if kept is None or kept.name != STANDARD:
        return kept.calendar if kept is not None else None
    return replace(kept.calendar, zone=zone_of(person))
