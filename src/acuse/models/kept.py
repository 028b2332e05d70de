"""What somebody of the firm keeps under a name, for themselves or for everybody of the firm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models

from .people import Person

LONGEST_NAME = 60

if TYPE_CHECKING:
    K = TypeVar("K", bound="Kept")


class KeptQuerySet(models.QuerySet["K"]):
    def visible_to(self, person: Person) -> Self:
        """Of the firm's people: their own and what others share; customers have none."""
        if not person.is_firm:
            return self.none()
        return self.filter(models.Q(owner=person) | models.Q(shared=True))

    def in_use(self) -> Self:
        return self.filter(retired_at__isnull=True)


class Kept(models.Model):
    """Something under a name. Retired, never deleted."""

    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def may_be_changed_by(self, person: Person) -> bool:
        """Whether a person may change or retire it: their own, or as a manager what is shared."""
        return self.owner_id == person.pk or (self.shared and person.is_manager)
