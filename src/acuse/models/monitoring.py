"""What is watched, by whom, what failed when, and when nobody is to be told (P06)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from ..policy.alerts import Grouping
from ..policy.incidents import Condition, Streak, Told
from ..policy.probing import CheckKind, Finding, Probe
from .base import one_of
from .case import Case
from .catalogue import Environment
from .people import Person


class Check(models.Model):
    """A question that the worker asks a system again and again. One in use is retired, never
    deleted. `failing`, `passed`, `failed`: how its results stand (policy/incidents.Streak)."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="checks")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8)
    target = models.CharField(max_length=500)
    every = models.PositiveIntegerField(default=5)  # minutes
    timeout = models.PositiveSmallIntegerField(default=10)  # seconds
    to_open = models.PositiveSmallIntegerField(default=2)  # failures in a row
    to_recover = models.PositiveSmallIntegerField(default=2)  # passes in a row
    latency_limit = models.PositiveIntegerField(null=True, blank=True)  # milliseconds
    expected_status = models.PositiveSmallIntegerField(default=200)
    expected_text = models.CharField(max_length=200, blank=True)
    expiry_days = models.PositiveSmallIntegerField(default=14)  # 0: not looked at
    since = models.DateTimeField()
    next_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True)
    last_finding = models.CharField(max_length=16, blank=True)
    failing = models.BooleanField(default=False)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", CheckKind, "check_kind"),
            one_of("last_finding", Finding, "check_last_finding"),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(retired_at__isnull=True),
                name="check_by_next",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def streak(self) -> Streak:
        return Streak(self.failing, self.passed, self.failed)

    @property
    def probe(self) -> Probe:
        return Probe(
            CheckKind(self.kind),
            self.target,
            float(self.timeout),
            self.latency_limit,
            self.expected_status,
            self.expected_text,
            self.expiry_days,
        )


class CheckRun(models.Model):
    """One result of a check, kept for some days."""

    # Too many for a constraint of the column's codes to pay.
    of = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="runs")
    at = models.DateTimeField()
    finding = models.CharField(max_length=16)
    detail = models.CharField(max_length=200, blank=True)
    latency = models.PositiveIntegerField(null=True, blank=True)  # milliseconds

    class Meta:
        indexes = [
            models.Index(fields=["of", "-at"], name="run_by_check"),
            models.Index(fields=["at"], name="run_by_age"),
        ]

    @property
    def passes(self) -> bool:
        return self.finding == Finding.FINE


class AlertSource(models.Model):
    """Somebody else's monitoring that sends alerts about one environment. Of its token only the
    hash is kept; `received` counts every alert it ever sent."""

    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="alert_sources"
    )
    name = models.CharField(max_length=100)
    grouping = models.CharField(max_length=8, default=Grouping.GROUP)
    token_hash = models.CharField(max_length=64)
    since = models.DateTimeField()
    last_at = models.DateTimeField(null=True, blank=True)
    received = models.PositiveBigIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [one_of("grouping", Grouping, "source_grouping")]

    def __str__(self) -> str:
        return self.name


class MaintenanceQuerySet(models.QuerySet["MaintenanceWindow"]):
    def running(self, at: datetime) -> Self:
        """Those that are on at a moment."""
        return self.filter(since__lte=at, until__gt=at)


class MaintenanceWindow(models.Model):
    """Announced work on an environment: what fails meanwhile opens no case."""

    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="maintenance"
    )
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gte=models.F("since")), name="maintenance_ends_after"
            )
        ]
        indexes = [models.Index(fields=["environment", "until"], name="maintenance_by_end")]
        ordering = ["-since", "-pk"]


class Incident(models.Model):
    """One thing that failed, from its first signal until it is over: one case at most.

    `fingerprint` says which thing; one row is open for it at a time. The columns from `failing` to
    `changes` are its condition (policy/incidents).
    """

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="incidents")
    fingerprint = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    text = models.TextField()
    of = models.ForeignKey(
        Check, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents"
    )
    source = models.ForeignKey(
        AlertSource, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents"
    )
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents"
    )
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)  # as the sender has it
    count = models.PositiveBigIntegerField(default=0)
    failing = models.BooleanField(default=True)
    changed_at = models.DateTimeField()
    told = models.CharField(max_length=16, blank=True)
    changes = models.JSONField(default=list)
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "fingerprint"],
                condition=models.Q(over_at__isnull=True),
                name="one_open_incident",
            ),
            one_of("told", Told, "incident_told"),
        ]
        indexes = [
            models.Index(
                fields=["environment"],
                condition=models.Q(over_at__isnull=True),
                name="incident_open",
            ),
            models.Index(fields=["environment", "-first_at"], name="incident_by_first"),
        ]
        ordering = ["-first_at", "-pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def condition(self) -> Condition:
        changes = tuple(datetime.fromisoformat(text) for text in self.changes)
        return Condition(self.failing, self.changed_at, Told(self.told), changes)

    def set_condition(self, now: Condition) -> None:
        self.failing, self.changed_at, self.told = now.failing, now.changed_at, str(now.told)
        self.changes = [moment.isoformat() for moment in now.changes]


class Outage(models.Model):
    """When an environment was down by one incident, as its case was told."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="outages")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="outages")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident"],
                condition=models.Q(until__isnull=True),
                name="one_open_outage",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since")),
                name="outage_ends_after",
            ),
        ]
        indexes = [models.Index(fields=["environment", "since"], name="outage_by_since")]
