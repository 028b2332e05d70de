"""Estimates: numbered versions of scope, exclusions, assumptions and lines (P17)."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from ..policy.billing import Activity
from .base import ErasableText, one_of
from .case import Case
from .catalogue import Specialty
from .people import Person


class Side(StrEnum):
    """The two who validate a scope: the customer's service owner, the firm's SPOC."""

    OWNER = "owner"
    SPOC = "spoc"


class Estimate(ErasableText):
    """One version of what will be done and what it takes; the text is the scope."""

    personal = ("text", "exclusions", "assumptions")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="estimates")
    number = models.PositiveIntegerField()
    exclusions = models.TextField(blank=True)
    assumptions = models.TextField(blank=True)
    author = models.ForeignKey(Person, on_delete=models.PROTECT)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="one_estimate_version")
        ]

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines.all())


class ScopeItem(models.Model):
    """One thing that will be delivered; `key` names the same thing through all versions."""

    estimate = models.ForeignKey(Estimate, on_delete=models.PROTECT, related_name="items")
    key = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    title = models.CharField(max_length=200)

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["estimate", "key"], name="one_scope_item_a_key")
        ]


class EstimateLine(models.Model):
    """One piece of work with its minutes; `key` names the same line through all versions."""

    estimate = models.ForeignKey(Estimate, on_delete=models.PROTECT, related_name="lines")
    key = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    activity = models.CharField(max_length=16, default=Activity.EXECUTION)
    specialty = models.ForeignKey(Specialty, null=True, blank=True, on_delete=models.PROTECT)
    minutes = models.PositiveIntegerField()

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["estimate", "key"], name="one_estimate_line_a_key"),
            one_of("activity", Activity, "estimate_line_activity"),
            models.CheckConstraint(
                condition=models.Q(minutes__gt=0), name="estimate_line_takes_time"
            ),
        ]


class ScopeValidation(models.Model):
    """One side's validation of one version; a return or a new version leaves it behind."""

    estimate = models.ForeignKey(Estimate, on_delete=models.PROTECT, related_name="validations")
    side = models.CharField(max_length=8)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("side", Side, "validation_side"),
            models.UniqueConstraint(fields=["estimate", "side"], name="one_validation_a_side"),
        ]
