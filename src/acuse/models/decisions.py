"""The customer's decisions, each its own row, final once given; and objections (P08, P25)."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from .base import ErasableText, one_of
from .case import Case
from .deliveries import Version
from .estimates import Estimate
from .people import Person


class DecisionKind(StrEnum):
    PROPOSAL = "proposal"
    AUTHORIZATION = "authorization"
    RESULT = "result"
    TIME = "time"
    BILLING = "billing"
    CLOSURE = "closure"


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    TACIT = "tacit"
    REJECTED = "rejected"
    UNAPPROVED = "unapproved"


class Decision(ErasableText):
    """One decision: on what, which way, by whom. An annulment is a mark, never a change."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=16)
    verdict = models.CharField(max_length=16)
    version = models.ForeignKey(
        Version, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    estimate = models.ForeignKey(Estimate, null=True, blank=True, on_delete=models.PROTECT)
    statement = models.ForeignKey(
        "Statement", null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    channel = models.CharField(max_length=16)
    annulled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", DecisionKind, "decision_kind"),
            one_of("verdict", Verdict, "decision_verdict"),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.TACIT, person__isnull=True)
                | (~models.Q(verdict=Verdict.TACIT)),
                name="silence_has_no_person",
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(annulled_at__isnull=True, version__isnull=False),
                name="one_decision_a_version",
            ),
            models.UniqueConstraint(
                fields=["statement"],
                condition=models.Q(annulled_at__isnull=True, statement__isnull=False),
                name="one_decision_a_statement",
            ),
        ]


class ObjectionOutcome(StrEnum):
    CORRECTED = "corrected"
    OUT_OF_SCOPE = "out_of_scope"


class Objection(ErasableText):
    """One thing the customer objects to (the text) and why (P25); each needs its answer (P26)."""

    personal = ("text", "grounds", "answer")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="objections")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="objections")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="objections")
    grounds = models.TextField()
    outcome = models.CharField(max_length=16, blank=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    change = models.ForeignKey(Case, null=True, blank=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [one_of("outcome", ObjectionOutcome, "objection_outcome")]
