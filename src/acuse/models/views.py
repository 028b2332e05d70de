"""Lists of the desk that somebody has kept, and who is looking at a case right now."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .case import Case
from .people import Person


class ViewQuerySet(models.QuerySet["View"]):
    def visible_to(self, person: Person) -> Self:
        """Of the firm's people: their own and what others share; customers have none."""
        if not person.is_firm:
            return self.none()
        return self.filter(models.Q(owner=person) | models.Q(shared=True))

    def in_use(self) -> Self:
        return self.filter(retired_at__isnull=True)


class View(models.Model):
    """A list under a name: the query in its canonical form (policy/filters.py), the columns and
    the order (codes of queries/queue.py). Retired, never deleted."""

    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    sort = models.CharField(max_length=20, default="due")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(retired_at__isnull=True),
                name="one_view_a_name",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Presence(models.Model):
    """Somebody of the firm has a case open: said again every few seconds, worth nothing after a
    minute. No record of anything: rows that have expired are removed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="presences")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    typing_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], name="one_presence_a_person")
        ]
