"""The case: where it stands, what it is pinned to, and what is tied to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.db import models

from ..policy.priority import Impact, Priority, Urgency
from ..policy.stages import Ball, Role, Stage
from .base import ErasableText, VersionKey, one_of
from .catalogue import CaseType, Environment, Module, Queue, RootCause, Specialty
from .contracts import (
    CalendarVersion,
    ContractVersion,
    PolicyVersion,
    RateVersion,
    SlaVersion,
)
from .people import Area, Entity, Organisation, Person


class OpenedBy(StrEnum):
    """Who reported it: matters for P18 (what registration consents to)."""

    USER = "user"
    STRANGER = "stranger"
    SUPPORT = "support"
    MONITOR = "monitor"


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, person: Person) -> Self:
        """The firm sees all; a customer's active user the organisation's; a stranger their own."""
        if person.is_firm:
            return self
        return self.filter(
            models.Q(organisation__in=person.organisation_ids())
            | models.Q(organisation__isnull=True, reporter=person)
        )

    def open(self) -> Self:
        return self.exclude(stage__in=[Stage.CLOSED, Stage.CANCELLED])


class Case(models.Model):
    """One request for service. Only the one writer (journal/writer.py) changes it."""

    subject = models.CharField(max_length=250)
    stage = models.CharField(max_length=20, default=Stage.RECEIVED)
    ball = models.CharField(max_length=16, default=Ball.FIRM)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=16)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # P18, where support opened it
    first_response_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=2, default="es")

    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="cases"
    )
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT)
    entity = models.ForeignKey(Entity, null=True, blank=True, on_delete=models.PROTECT)
    reporter = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="reported"
    )
    mailbox = models.ForeignKey("Mailbox", null=True, blank=True, on_delete=models.PROTECT)
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT)
    assignee = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="assigned"
    )
    level = models.CharField(max_length=2, default="n1", blank=True)

    impact = models.CharField(max_length=24, blank=True)
    urgency = models.CharField(max_length=24, blank=True)
    priority = models.CharField(max_length=8, default=Priority.LOW)
    type = models.ForeignKey(CaseType, null=True, blank=True, on_delete=models.PROTECT)
    specialty = models.ForeignKey(Specialty, null=True, blank=True, on_delete=models.PROTECT)
    module = models.ForeignKey(Module, null=True, blank=True, on_delete=models.PROTECT)
    environment = models.ForeignKey(Environment, null=True, blank=True, on_delete=models.PROTECT)
    root_cause = models.ForeignKey(RootCause, null=True, blank=True, on_delete=models.PROTECT)
    classified_at = models.DateTimeField(null=True, blank=True)

    # Pinned for life: the versions in force when the case was opened or bound to its customer.
    contract = models.ForeignKey(ContractVersion, null=True, blank=True, on_delete=models.PROTECT)
    sla = VersionKey(SlaVersion, null=True, blank=True, on_delete=models.PROTECT)
    rates = VersionKey(RateVersion, null=True, blank=True, on_delete=models.PROTECT)
    calendar = VersionKey(CalendarVersion, on_delete=models.PROTECT)
    policy = VersionKey(PolicyVersion, on_delete=models.PROTECT)
    coverage = models.JSONField(default=list)  # every condition with its result (P09)

    origin = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="offspring"
    )
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates"
    )
    stage_before_cancel = models.CharField(max_length=20, blank=True)
    emergency_cap_minutes = models.PositiveIntegerField(null=True, blank=True)
    authorized_at = models.DateTimeField(null=True, blank=True)

    # The head of the case's chain, moved by the ledger alone.
    lines = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("stage", Stage, "case_stage"),
            one_of("ball", Ball, "case_ball"),
            one_of("priority", Priority, "case_priority"),
            one_of("impact", Impact, "case_impact"),
            one_of("urgency", Urgency, "case_urgency"),
            models.CheckConstraint(
                condition=models.Q(organisation__isnull=False)
                | models.Q(contract__isnull=True, sla__isnull=True),
                name="unbound_case_has_no_contract",
            ),
            models.CheckConstraint(
                condition=models.Q(sla__isnull=False) | models.Q(priority=Priority.LOW),
                name="no_committed_times_means_low",  # P22
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "stage", "-opened_at"], name="case_by_customer"),
            models.Index(fields=["stage", "-opened_at"], name="case_by_stage"),
            models.Index(fields=["assignee", "stage"], name="case_by_assignee"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """The number that people use: C-17."""
        return f"C-{self.pk}"

    @property
    def rounding_minutes(self) -> int:
        """The unit up to which billed time is rounded: the contract's, else the policy's (P18)."""
        if self.contract is not None:
            return self.contract.rounding_minutes
        return self.policy.rules.time_rounding_minutes


class LinkKind(StrEnum):
    RELATED = "related"
    DUPLICATE = "duplicate"
    CHANGE = "change"
    SPLIT = "split"
    PARENT = "parent"


class CaseLink(models.Model):
    """Two cases that have to do with each other; seen from both."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="linked_from")
    kind = models.CharField(max_length=16)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", LinkKind, "link_kind"),
            models.CheckConstraint(
                condition=~models.Q(case=models.F("other")), name="no_link_to_itself"
            ),
            models.UniqueConstraint(
                fields=["case", "other", "kind"],
                condition=models.Q(undone_at__isnull=True),
                name="one_link_a_kind",
            ),
        ]


class Watcher(models.Model):
    """Somebody who follows a case beside its reporter."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="watchers")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="watching")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "person"],
                condition=models.Q(until__isnull=True),
                name="watching_once",
            )
        ]


class Addressee(StrEnum):
    """Whom a question is put to (P10, P13)."""

    USER = "user"
    LEAD = "lead"
    OWNER = "owner"
    THIRD_PARTY = "third_party"


class Wait(ErasableText):
    """A dated question that somebody has to answer; the text is the question (P13)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="waits")
    addressee = models.CharField(max_length=16)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="asked")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    answered = models.BooleanField(default=False)

    class Meta:
        constraints = [
            one_of("addressee", Addressee, "wait_addressee"),
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_wait_a_case",
            ),
        ]


class Delegation(models.Model):
    """A decision passed on to a colleague of the same side (P08, P17)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="delegations")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="delegated")
    decision = models.CharField(max_length=16)
    role = models.CharField(max_length=16)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # taken back by whoever passed it on

    class Meta:
        constraints = [one_of("role", Role, "delegation_role")]
