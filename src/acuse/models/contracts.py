"""Contracts and what they rest on, all in versions: a change never rewrites a running case."""

from __future__ import annotations

import functools
from enum import StrEnum
from typing import Any, Self

from django.db import models

from ..policy.calendar import Calendar
from ..policy.contracts import Beyond, HourBank, Reach, Renewal
from ..policy.priority import Priority
from ..policy.versions import PolicyParameters
from . import sql
from .base import VersionKey, get_version, one_of
from .catalogue import Environment, Module, Specialty
from .people import Entity, Organisation, Person


class ContractKind(StrEnum):
    """P09: an implementation or improvement contract, or a support contract."""

    IMPLEMENTATION = "implementation"
    SUPPORT = "support"


class PolicyVersion(models.Model):
    """The service policy as it stood: its text, the text's hash, and every parameter (P07)."""

    number = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    parameters = models.JSONField()
    in_force_from = models.DateTimeField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def rules(self) -> PolicyParameters:
        if not hasattr(self, "_rules"):
            self._rules = PolicyParameters.from_json(self.parameters)
        return self._rules


class CalendarVersion(models.Model):
    """A business calendar as it stood; `name` runs through its versions."""

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    data = models.JSONField()

    class Meta:
        ordering = ["name", "number"]
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="one_calendar_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def calendar(self) -> Calendar:
        if not hasattr(self, "_calendar"):
            self._calendar = Calendar.from_json(self.data)
        return self._calendar

    def latest(self) -> CalendarVersion:
        """The newest version of the same calendar."""
        [(pk,)] = sql.ask(
            "select id from acuse_calendarversion where name = %s order by number desc limit 1",
            [self.name],
        )
        newest: CalendarVersion = get_version(CalendarVersion, pk)
        return newest


class SlaVersion(models.Model):
    """Committed times by priority: {priority: {response, delivery (minutes), round_the_clock}}."""

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    rows = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="one_sla_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def ordered(self) -> list[tuple[str, dict[str, Any]]]:
        """The rows from the most urgent priority on; the database keeps no order of them."""
        return [(code.value, self.rows[code]) for code in Priority if code in self.rows]


class RateVersion(models.Model):
    """What an hour costs, in one currency."""

    name = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="one_rate_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class Rate(models.Model):
    """The hourly rate of an activity, for one specialty or for any."""

    version = models.ForeignKey(RateVersion, on_delete=models.CASCADE, related_name="rates")
    activity = models.CharField(max_length=16)
    specialty = models.ForeignKey(Specialty, null=True, blank=True, on_delete=models.PROTECT)
    hourly = models.DecimalField(max_digits=14, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "activity", "specialty"],
                nulls_distinct=False,
                name="one_rate_an_activity_and_specialty",
            ),
            models.CheckConstraint(condition=models.Q(hourly__gte=0), name="rate_not_negative"),
        ]


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, person: Person) -> Self:
        if person.is_firm:
            return self
        return self.filter(organisation__in=person.organisation_ids())


class Contract(models.Model):
    """An agreement with one customer."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="contracts"
    )
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16)

    objects = ContractQuerySet.as_manager()

    class Meta:
        constraints = [one_of("kind", ContractKind, "contract_kind")]

    def __str__(self) -> str:
        return self.name


class ContractVersion(models.Model):
    """A contract as it stood. No entities, environments or modules listed: it covers all."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)  # the last day of validity
    entities = models.ManyToManyField(Entity, blank=True)
    environments = models.ManyToManyField(Environment, blank=True)
    modules = models.ManyToManyField(Module, blank=True)
    sla = VersionKey(SlaVersion, null=True, blank=True, on_delete=models.PROTECT)
    rates = VersionKey(RateVersion, on_delete=models.PROTECT)
    calendar = VersionKey(CalendarVersion, on_delete=models.PROTECT)
    policy = VersionKey(PolicyVersion, on_delete=models.PROTECT)
    hour_bank_minutes = models.PositiveIntegerField(null=True, blank=True)
    rounding_minutes = models.PositiveIntegerField(default=15)
    renewal = models.CharField(max_length=16, default=Renewal.NEVER)  # of the hour bank
    beyond = models.CharField(max_length=16, default=Beyond.RATES)  # the hour bank
    alert_minutes = models.PositiveIntegerField(null=True, blank=True)
    alert_days = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "number"], name="one_contract_version"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="contract_ends_after_it_starts",
            ),
            one_of("renewal", Renewal, "contract_renewal"),
            one_of("beyond", Beyond, "contract_beyond"),
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.number}"

    @property
    def listed(self) -> dict[str, frozenset[int]]:
        """The ids of the entities, environments and modules that it names."""
        return _listed(self.pk)

    @property
    def reach(self) -> Reach:
        """From when until when it is agreed, and what it covers."""
        return Reach(self.number, self.valid_from, self.valid_until, **self.listed)

    @property
    def bank(self) -> HourBank | None:
        """The hours that it includes, if it does."""
        if self.hour_bank_minutes is None:
            return None
        return HourBank(
            self.hour_bank_minutes,
            Renewal(self.renewal),
            Beyond(self.beyond),
            self.alert_minutes,
            self.alert_days,
        )


@functools.lru_cache(maxsize=1024)
def _listed(version_id: int) -> dict[str, frozenset[int]]:
    """Read once a process: what a version lists never changes."""
    version = ContractVersion.objects.get(pk=version_id)
    names = ("entities", "environments", "modules")
    return {name: frozenset(getattr(version, name).values_list("pk", flat=True)) for name in names}


class PolicyAcceptance(models.Model):
    """A person accepted one version of the policy (P07), apart from what binds a case."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    policy = VersionKey(PolicyVersion, on_delete=models.PROTECT)
    at = models.DateTimeField()
    channel = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "policy"], name="one_acceptance_a_policy")
        ]
