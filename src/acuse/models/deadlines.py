"""Deadlines: hints of when to look at a case again; and the intervals of its clocks."""

from __future__ import annotations

from django.db import models

from .base import VersionKey
from .case import Case
from .contracts import CalendarVersion


class Deadline(models.Model):
    """Something falls due. The truth is in the rows it was planned from: whoever fires it locks
    the case, plans again, and acts at `due_at` only if it still stands.

    `subject` is the id of the window, claim, wait or statement it is about; of a committed time,
    its minutes, so that another priority's is another. `step` tells the first reminder from the
    second; of a warning it is the percent.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="deadlines")
    kind = models.CharField(max_length=24)
    subject = models.BigIntegerField(null=True, blank=True)
    step = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)  # postponed: looked at, too early
    fired_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "subject", "step"],
                condition=models.Q(fired_at__isnull=True),
                nulls_distinct=False,
                name="one_pending_deadline_a_subject",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="deadline_pending",
                condition=models.Q(fired_at__isnull=True, failed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.kind} {self.due_at:%Y-%m-%d %H:%M}"


class ClockInterval(models.Model):
    """A stretch of a case's life by stage and by who held the ball (P01); the open one has no
    end. Closed minutes are frozen, with the version of the calendar that counted them."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="intervals")
    stage = models.CharField(max_length=20)
    ball = models.CharField(max_length=16)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    calendar = VersionKey(CalendarVersion, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(until__isnull=True),
                name="one_running_interval_a_case",
            )
        ]
