"""Time and billing statements. Time is append-only: a correction is a new entry (P18, P30)."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from django.db import models

from ..policy.billing import Activity, Consent
from .base import ErasableText, one_of
from .case import Case
from .people import Person


class TimeState(StrEnum):
    LOGGED = "logged"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    DISPUTED = "disputed"
    WAIVED = "waived"  # settled without charge
    REPLACED = "replaced"


OPEN_STATES = (TimeState.LOGGED, TimeState.SUBMITTED, TimeState.DISPUTED)


class TimeEntryQuerySet(models.QuerySet["TimeEntry"]):
    def visible_to(self, person: Person) -> Self:
        """The customer sees time once it has been submitted to them."""
        found = self.filter(case__in=Case.objects.visible_to(person))
        if person.is_firm:
            return found
        return found.exclude(state__in=[TimeState.LOGGED, TimeState.REPLACED])

    def current(self) -> Self:
        return self.exclude(state=TimeState.REPLACED)

    def awaiting_approval(self) -> Self:
        """What bills and the customer has not approved yet."""
        return self.filter(billable=True, state__in=OPEN_STATES)

    def approved_but_not_on(self, *states: StatementState) -> Self:
        """What bills, is approved, and stands on no statement in one of these states."""
        found = self.filter(billable=True, state=TimeState.APPROVED)
        return found.exclude(statementline__statement__state__in=states)


class StatementState(StrEnum):
    ISSUED = "issued"
    APPROVED = "approved"
    DISPUTED = "disputed"
    CREDITED = "credited"
    EXPORTED = "exported"


IN_FORCE = (StatementState.ISSUED, StatementState.APPROVED, StatementState.EXPORTED)
SETTLED = (StatementState.APPROVED, StatementState.EXPORTED)


class TimeEntry(ErasableText):
    """Minutes of one person on one day; the text says what was done."""

    personal = ("text", "dispute_text")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="time")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="time")
    work_date = models.DateField()
    minutes = models.PositiveIntegerField()  # as worked
    billed_minutes = models.PositiveIntegerField()  # rounded by the contract; 0 if never billed
    activity = models.CharField(max_length=16)
    consent = models.CharField(max_length=16)
    billable = models.BooleanField()
    reason = models.CharField(max_length=40)  # why it is billable or not
    state = models.CharField(max_length=16, default=TimeState.LOGGED)
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    dispute_text = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = TimeEntryQuerySet.as_manager()

    class Meta:
        ordering = ["work_date", "pk"]
        constraints = [
            one_of("activity", Activity, "time_activity"),
            one_of("consent", Consent, "time_consent"),
            one_of("state", TimeState, "time_state"),
            models.CheckConstraint(
                condition=models.Q(minutes__gt=0, minutes__lte=1440), name="time_within_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(billable=True) | models.Q(billed_minutes=0),
                name="not_billable_bills_nothing",
            ),
        ]


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, person: Person) -> Self:
        return self.filter(case__in=Case.objects.visible_to(person))


class Statement(models.Model):
    """What a case bills, line by line. A wrong one is credited, never edited."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="statements")
    number = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(max_length=16, default=StatementState.ISSUED)
    content_hash = models.CharField(max_length=64)
    at = models.DateTimeField()

    objects = StatementQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("state", StatementState, "statement_state"),
            models.UniqueConstraint(fields=["case", "number"], name="one_statement_a_number"),
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(state__in=IN_FORCE),
                name="one_statement_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case.number}/{self.number}"


class StatementLine(models.Model):
    """One time entry as billed."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    entry = models.ForeignKey(TimeEntry, on_delete=models.PROTECT)
    minutes = models.PositiveIntegerField()
    hourly = models.DecimalField(max_digits=14, decimal_places=2)
    amount = models.DecimalField(max_digits=16, decimal_places=2)


class Satisfaction(ErasableText):
    """What one person thought of the service, asked once at the close (P02)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="satisfaction")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    rating = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], name="one_rating_a_person"),
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5), name="rating_from_1_to_5"
            ),
        ]
