"""Lists of the desk that somebody has kept, and who is looking at a case right now."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from .case import Case
from .kept import Kept, KeptQuerySet
from .people import Person


class View(Kept):
    """A list under a name: the query in its canonical form (policy/filters.py), the columns and
    the order (codes of queries/queue.py)."""

    query = models.CharField(max_length=2000, blank=True)
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    sort = models.CharField(max_length=20, default="due")

    objects = KeptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(retired_at__isnull=True),
                name="one_view_a_name",
            )
        ]


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
