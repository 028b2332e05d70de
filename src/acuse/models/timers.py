"""Clocks that somebody starts on a case. They log nothing: what they counted is proposed."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from ..policy import timers
from .billing import TimeEntry
from .case import Case
from .people import Person


class TimerQuerySet(models.QuerySet["Timer"]):
    def of(self, person: Person) -> Self:
        """Somebody's own: nobody else sees them."""
        return self.filter(person=person)

    def unsettled(self) -> Self:
        """Those that run, and those whose time has been neither logged nor thrown away."""
        return self.filter(settled_at__isnull=True)


class Timer(models.Model):
    """One stretch of one person's work on a case. Stopped, it waits to be logged as `entry` or
    thrown away (settled without one)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="timers")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="timers")
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    entry = models.OneToOneField(
        TimeEntry, null=True, blank=True, on_delete=models.PROTECT, related_name="timer"
    )

    objects = TimerQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(stopped_at__isnull=True),
                name="one_running_timer_a_person",
            ),
            models.CheckConstraint(
                condition=models.Q(stopped_at__isnull=True)
                | models.Q(stopped_at__gte=models.F("started_at")),
                name="timer_stops_after_its_start",
            ),
            models.CheckConstraint(
                condition=models.Q(settled_at__isnull=True) | models.Q(stopped_at__isnull=False),
                name="timer_settled_once_stopped",
            ),
        ]
        indexes = [
            models.Index(
                fields=["person"],
                name="timer_unsettled",
                condition=models.Q(settled_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.person_id} {self.started_at:%Y-%m-%d %H:%M}"

    def stretch(self, now: datetime) -> timers.Stretch:
        """What it has counted, up to now where it still runs."""
        return timers.measure(self.started_at, self.stopped_at or now)
