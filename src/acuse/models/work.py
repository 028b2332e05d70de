"""Long work: what somebody asked for and the worker does while they go on."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.db import models

from .base import one_of
from .conversation import Blob
from .people import Person


class WorkKind(StrEnum):
    IMPORT = "import"  # a file of customers or people is applied
    EXPORT = "export"  # the cases of a list, as CSV


class WorkState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNDONE = (WorkState.QUEUED, WorkState.RUNNING)


class WorkQuerySet(models.QuerySet["Work"]):
    def visible_to(self, person: Person) -> Self:
        """Of the firm's people: what they asked for themselves."""
        return self.filter(by=person) if person.is_firm else self.none()

    def undone(self) -> Self:
        return self.filter(state__in=UNDONE)

    def unread(self) -> Self:
        """What has come to its end, and whoever asked for it has not seen that."""
        return self.filter(ended_at__isnull=False, read_at__isnull=True)


class Work(models.Model):
    """One piece of work. `details`: what is to be done, by its kind; `done` of `total` steps
    (total 0: not known yet); `result`: a file to take along; `outcome`: what came of it, by kind;
    `error`: [msgid, parameters] of what stopped it."""

    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=12, default=WorkState.QUEUED)
    details = models.JSONField(default=dict)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="works")
    asked_at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    outcome = models.JSONField(default=dict)
    error = models.JSONField(default=list)
    result = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT)
    filename = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            one_of("kind", WorkKind, "work_kind"),
            one_of("state", WorkState, "work_state"),
            models.CheckConstraint(
                condition=models.Q(state__in=UNDONE, ended_at__isnull=True)
                | (~models.Q(state__in=UNDONE) & models.Q(ended_at__isnull=False)),
                name="work_ends_when_it_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["by"],
                name="work_unread",
                condition=models.Q(read_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def percent(self) -> int | None:
        """How far it is, 0 to 100; None while nobody knows how much there is."""
        return min(100, self.done * 100 // self.total) if self.total else None
