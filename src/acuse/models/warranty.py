"""Warranty on developments and parametrisations, and the claims made under it (P27, P28)."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from ..policy.terms import Term
from .base import ErasableText, one_of
from .case import Case
from .deliveries import Version
from .people import Person


class Warranty(models.Model):
    """Runs from the delivery of the accepted version, in calendar days; it neither stops nor
    restarts. Annulled only together with the acceptance it rests on."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="warranties")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="warranties")
    starts_at = models.DateTimeField()
    last_day = models.DateField()
    until = models.DateTimeField()
    computation = models.JSONField()
    ended_at = models.DateTimeField(null=True, blank=True)
    annulled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(annulled_at__isnull=True),
                name="one_warranty_a_version",
            )
        ]

    @property
    def term(self) -> Term:
        return Term.from_json(self.computation)


class Exclusion(StrEnum):
    """Why a claim is not covered: the four of P28, and the three that follow from P27."""

    ODOO_VERSION = "odoo_version"
    PARAMETRISATION_CHANGED = "parametrisation_changed"
    DATA_QUALITY = "data_quality"
    CHANGED_BY_OTHERS = "changed_by_others"
    NOT_SPECIFIED = "not_specified"
    LATE = "late"
    KIND_NOT_COVERED = "kind_not_covered"


class Claim(ErasableText):
    """What was specified (the text) and what was omitted. In time stays in time."""

    personal = ("text", "omitted", "decision_text", "fix_text")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="claims")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="claims")
    warranty = models.ForeignKey(Warranty, null=True, blank=True, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    omitted = models.TextField()
    at = models.DateTimeField()
    in_time = models.BooleanField()
    covered = models.BooleanField(null=True, blank=True)
    exclusion = models.CharField(max_length=32, blank=True)
    decision_text = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    fix_text = models.TextField(blank=True)
    fixed_at = models.DateTimeField(null=True, blank=True)
    change = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            one_of("exclusion", Exclusion, "claim_exclusion"),
            models.CheckConstraint(
                condition=~models.Q(covered=False) | ~models.Q(exclusion=""),
                name="refused_claim_has_a_reason",
            ),
        ]
