"""The rules of routing: added, put in order, changed by a new version, retired (P14)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Model

from ..models import (
    CaseType,
    Environment,
    Language,
    Level,
    Module,
    Organisation,
    OrganisationKind,
    Person,
    Queue,
    RoutingRule,
    RuleVersion,
    Specialty,
)
from ..policy.fields import N_, InvalidField
from ..policy.priority import Priority
from . import records

RULE = "routing_rule"  # subject of Change rows

EMPTY = N_("must not be empty")
KNOWN = N_("%(name)s exists already")
RETIRED = N_("%(name)s is retired")
OF_ANOTHER = N_("%(name)s belongs to another customer")
NOT_A_CUSTOMER = N_("%(name)s is no customer")
NOT_A_CODE = N_("%(value)s is not one that may be chosen")
NEWER = N_("somebody has changed it meanwhile: look at it first")

_CODES: dict[str, Iterable[str]] = {"priority": Priority, "language": Language, "level": Level}


@dataclass(frozen=True)
class RuleFacts:
    """What a rule is called, what it asks of a case (blank asks nothing), and the queue and the
    lowest level (a code, "": the case's own) to which it sends it."""

    name: str
    queue: Queue
    level: str = ""
    customer: Organisation | None = None
    environment: Environment | None = None
    module: Module | None = None
    specialty: Specialty | None = None
    type: CaseType | None = None
    priority: str = ""
    language: str = ""


@transaction.atomic
def add_rule(facts: RuleFacts, *, by: Person, at: datetime) -> RoutingRule:
    """A new rule, after all others. Raises InvalidField."""
    _lock()
    name = _check(facts, None)
    last = RoutingRule.objects.aggregate(last=Max("place"))["last"] or 0
    rule = RoutingRule.objects.create(name=name, place=last + 1)
    RuleVersion.objects.create(rule=rule, number=1, since=at, **_columns(facts))
    told = records.compare({}, _told(facts, name))
    records.note_change(RULE, rule.pk, "add", by=by, at=at, fields=told)
    return rule


@transaction.atomic
def change_rule(
    rule: RoutingRule, facts: RuleFacts, *, number: int, by: Person, at: datetime
) -> RuleVersion:
    """The next version of a rule after the one of this number, which is the one that somebody
    looked at. Raises InvalidField, also where another has been made meanwhile."""
    _lock()
    row = RoutingRule.objects.get(pk=rule.pk)
    newest = row.versions.latest("number")
    if newest.number != number:
        raise InvalidField("name", NEWER)
    name = _check(facts, row)
    told = records.compare(_told(facts_of(newest), row.name), _told(facts, name))
    if not told:
        return newest
    if name != row.name:
        row.name = name
        row.save(update_fields=["name"])
    version = RuleVersion.objects.create(rule=row, number=number + 1, since=at, **_columns(facts))
    records.note_change(RULE, row.pk, "edit", by=by, at=at, fields=told)
    return version


@transaction.atomic
def move_rule(rule: RoutingRule, *, up: bool, by: Person, at: datetime) -> None:
    """One place up or down among the rules in use; the first and the last stay where they are."""
    _lock()
    rows = list(RoutingRule.objects.filter(retired_at__isnull=True))
    here = rows.index(rule)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(rows):
        return
    rows.insert(there, rows.pop(here))
    for place, row in enumerate(rows, start=1):
        if row.place != place:
            row.place = place
            row.save(update_fields=["place"])
    fields: dict[str, tuple[object, object]] = {"place": (here + 1, there + 1)}
    records.note_change(RULE, rule.pk, "move", by=by, at=at, fields=fields)


@transaction.atomic
def set_rule_retired(rule: RoutingRule, retired: bool, *, by: Person, at: datetime) -> None:
    """Whether it takes cases; one that is taken into use again comes after all others."""
    _lock()
    row = RoutingRule.objects.get(pk=rule.pk)
    if (row.retired_at is not None) is retired:
        return
    if not retired:
        _check(facts_of(row.versions.latest("number")), row)
        row.place = (RoutingRule.objects.aggregate(last=Max("place"))["last"] or 0) + 1
    row.retired_at = at if retired else None
    row.save(update_fields=["retired_at", "place"])
    records.note_change(RULE, row.pk, "retire" if retired else "restore", by=by, at=at)


def facts_of(version: RuleVersion) -> RuleFacts:
    """What a version says, as it was given."""
    names = [item.name for item in fields(RuleFacts) if item.name != "name"]
    return RuleFacts(version.rule.name, **{name: getattr(version, name) for name in names})


def _lock() -> None:
    """Who changes rules or their order comes after who does so already."""
    list(RoutingRule.objects.select_for_update().order_by("pk").values_list("pk"))


def _check(facts: RuleFacts, own: RoutingRule | None) -> str:
    """The name without surplus space. Raises InvalidField."""
    name = " ".join(facts.name.split())[:100]
    if not name:
        raise InvalidField("name", EMPTY)
    others = RoutingRule.objects.filter(name__iexact=name, retired_at__isnull=True)
    if any(row != own for row in others):
        raise InvalidField("name", KNOWN, name=name)
    for field in ("queue", "environment", "module", "specialty", "type"):
        row = getattr(facts, field)
        if row is not None and row.retired_at is not None:
            raise InvalidField(field, RETIRED, name=row.name)
    for field, codes in _CODES.items():
        value = getattr(facts, field)
        if value and value not in [str(code) for code in codes]:
            raise InvalidField(field, NOT_A_CODE, value=value)
    customer, environment = facts.customer, facts.environment
    if customer is not None and customer.kind != OrganisationKind.CUSTOMER:
        raise InvalidField("customer", NOT_A_CUSTOMER, name=customer.name)
    if customer is not None and environment is not None:
        _require_own(customer, environment)
    return name


def _require_own(customer: Organisation, environment: Environment) -> None:
    if environment.organisation_id != customer.pk:
        raise InvalidField("environment", OF_ANOTHER, name=environment.name)


def _columns(facts: RuleFacts) -> dict[str, Any]:
    columns = {item.name: getattr(facts, item.name) for item in fields(RuleFacts)}
    del columns["name"]
    return columns


def _told(facts: RuleFacts, name: str) -> dict[str, object]:
    """What a rule says as plain JSON, rows by their names; a blank is nothing."""
    told: dict[str, object] = {}
    for item in fields(RuleFacts):
        value = getattr(facts, item.name)
        told[item.name] = str(value) if isinstance(value, Model) else (value or "")
    return told | {"name": name}
