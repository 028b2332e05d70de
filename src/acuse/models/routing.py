"""What routing goes by: rules, what the firm's people know, who is absent; and how far it has come
with each case (P05, P14)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from ..policy import routing
from ..policy.priority import Priority
from ..policy.routing import Outcome
from .base import one_of
from .case import Case
from .catalogue import CaseType, Environment, Module, Queue, Specialty
from .people import Language, Level, Organisation, Person


class RoutingRule(models.Model):
    """One rule, by its name, at its place in the order. Retired, never deleted."""

    name = models.CharField(max_length=100)
    place = models.PositiveIntegerField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place", "pk"]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """What a rule asked and where it sent, from a moment on; the newest version holds. Added,
    never edited, so that a ledger line can name it. What is blank asks nothing."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    since = models.DateTimeField()
    customer = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT)
    environment = models.ForeignKey(Environment, null=True, blank=True, on_delete=models.PROTECT)
    module = models.ForeignKey(Module, null=True, blank=True, on_delete=models.PROTECT)
    specialty = models.ForeignKey(Specialty, null=True, blank=True, on_delete=models.PROTECT)
    type = models.ForeignKey(CaseType, null=True, blank=True, on_delete=models.PROTECT)
    priority = models.CharField(max_length=8, blank=True)
    language = models.CharField(max_length=2, blank=True)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT)
    level = models.CharField(max_length=2, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="one_rule_version"),
            one_of("priority", Priority, "rule_priority"),
            one_of("language", Language, "rule_language"),
            one_of("level", Level, "rule_level"),
        ]

    def __str__(self) -> str:
        return self.rule.name

    @property
    def plain(self) -> routing.Rule:
        """As policy/routing.py reads it, known by the version's id."""
        return routing.Rule(
            self.pk,
            self.queue_id,
            self.level,
            self.customer_id,
            self.environment_id,
            self.module_id,
            self.specialty_id,
            self.type_id,
            self.priority,
            self.language,
        )


def rules_in_force() -> list[RuleVersion]:
    """The newest version of every rule in use, in their order, with the rule's name. One whose
    queue is retired takes nothing."""
    newest = RuleVersion.objects.filter(rule=models.OuterRef("rule")).order_by("-number")
    rows = RuleVersion.objects.filter(
        pk=models.Subquery(newest.values("pk")[:1]),
        rule__retired_at__isnull=True,
        queue__retired_at__isnull=True,
    )
    return list(rows.select_related("rule").order_by("rule__place", "rule_id"))


class Skills(models.Model):
    """What somebody of the firm knows and speaks beside their own language, whose team they are
    in, and by which calendar they work ("": the firm's own). Without a row: nothing of it."""

    person = models.OneToOneField(
        Person, primary_key=True, on_delete=models.PROTECT, related_name="skills"
    )
    specialties = models.ManyToManyField(Specialty, blank=True)
    languages = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    customers = models.ManyToManyField(Organisation, blank=True)
    calendar = models.CharField(max_length=100, blank=True)


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def covering(self, at: datetime) -> AbsenceQuerySet:
        """The absences that hold at a moment."""
        return self.not_over(at).filter(since__lte=at)

    def not_over(self, at: datetime) -> AbsenceQuerySet:
        """The absences that hold at a moment or begin later."""
        return self.filter(until__gt=at, ended_at__isnull=True)


class Absence(models.Model):
    """Somebody of the firm is not there in [since, until), whole days of their own zone. One that
    has been taken back or ended early has `ended_at`, and holds no more."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="absences")
    since = models.DateTimeField()
    until = models.DateTimeField()
    substitute = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="stands_in"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since")), name="absence_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=~models.Q(substitute=models.F("person")), name="nobody_stands_in_for_self"
            ),
        ]
        indexes = [
            models.Index(
                fields=["person", "until"],
                name="absence_running",
                condition=models.Q(ended_at__isnull=True),
            )
        ]

    @property
    def plain(self) -> routing.Absence:
        """As policy/routing.py reads it."""
        return routing.Absence(self.since, self.until, self.substitute_id)


def standing_in(people: Collection[int], at: datetime) -> list[Person]:
    """Who stands in for those of these people (ids) who are absent at a moment: their substitutes,
    and where one of them is absent too, theirs."""
    found: dict[int, Person] = {}
    asked, seen = set(people), set(people)
    while asked:
        rows = Absence.objects.covering(at).filter(person__in=asked, substitute__isnull=False)
        named = [row.substitute for row in rows.select_related("substitute") if row.substitute]
        found |= {person.pk: person for person in named if person.pk not in seen}
        asked = {person.pk for person in named} - seen
        seen |= asked
    return list(found.values())


class RoutingState(models.Model):
    """How far routing has come with a case: the last ledger line that it has looked at, and what
    it came to. `nobody` while nobody fits: it is tried again, and an alarm sounds meanwhile."""

    case = models.OneToOneField(
        Case, primary_key=True, on_delete=models.PROTECT, related_name="routing"
    )
    seq = models.PositiveIntegerField()
    outcome = models.CharField(max_length=8, blank=True)  # "": it was not for routing to decide

    class Meta:
        constraints = [one_of("outcome", Outcome, "routing_outcome")]
        indexes = [
            models.Index(
                fields=["case"], name="routed_to_nobody", condition=models.Q(outcome="nobody")
            )
        ]
