"""What a case is pinned to: customer, contract and the versions in force (P09, P22)."""

from __future__ import annotations

from datetime import datetime

from django.db import models as db

from ..models import (
    CalendarVersion,
    Case,
    ContractVersion,
    Organisation,
    PolicyVersion,
    RateVersion,
)
from ..policy.calendar import Calendar
from ..policy.coverage import Choice, ContractFacts, decide
from ..policy.priority import Impact, Priority, Urgency, derive

STANDARD = "standard"  # the firm's own calendar and rates, where no contract says otherwise


def pin_defaults(case: Case, at: datetime) -> None:
    """The firm's own calendar, rates and policy, for as long as no contract says otherwise."""
    case.calendar = CalendarVersion.objects.filter(name=STANDARD).latest("number")
    case.policy = PolicyVersion.objects.filter(in_force_from__lte=at).latest("number")
    case.rates = RateVersion.objects.filter(name=STANDARD).order_by("number").last()


def bind(case: Case, organisation: Organisation) -> Choice:
    """Bind the case to its customer and pin the versions of the contract that covers it, if
    exactly one does. Returns every contract examined with every condition."""
    case.organisation = organisation
    choice = coverage(case, organisation, case.calendar.calendar)
    case.contract = None
    if choice.contract is not None:
        case.contract = ContractVersion.objects.select_related("calendar", "policy").get(
            pk=choice.contract.contract_id
        )
        case.calendar, case.policy = case.contract.calendar, case.contract.policy
        case.rates = case.contract.rates
    case.sla = case.contract.sla if case.contract is not None else None
    case.coverage = [
        {
            "contract": facts.contract_id,
            "covered": examined.covered,
            "conditions": [
                {"code": c.code, "passed": c.passed, "params": dict(c.params)}
                for c in examined.conditions
            ],
        }
        for facts, examined in choice.coverages
    ]
    reset_priority(case)
    return choice


def coverage(case: Case, organisation: Organisation, calendar: Calendar) -> Choice:
    """Which of the customer's contracts covers the case on the day it was opened (P09)."""
    on = calendar.local_day(case.opened_at)
    valid = db.Q(valid_from__lte=on) & (db.Q(valid_until__isnull=True) | db.Q(valid_until__gte=on))
    # A renewal entered ahead of its first day does not displace the version that is in force.
    newest = (
        ContractVersion.objects.filter(contract__organisation=organisation)
        .annotate(valid=db.Case(db.When(valid, then=1), default=0))
        .order_by("contract", "-valid", "-number")
    )
    facts = [
        ContractFacts(
            contract_id=version.pk,
            kind=version.contract.kind,
            starts_on=version.valid_from,
            last_day=version.valid_until,
            # None listed: the contract covers every entity, also one not named on the case.
            entities=frozenset(version.entities.values_list("pk", flat=True))
            or frozenset({case.entity_id or 0}),
            environments=frozenset(version.environments.values_list("pk", flat=True)),
            modules=frozenset(version.modules.values_list("pk", flat=True)),
            has_sla=version.sla_id is not None,
        )
        for version in newest.distinct("contract").select_related("contract")
    ]
    return decide(on, facts, case.environment_id, case.module_id, case.entity_id or 0)


def reset_priority(case: Case) -> Priority:
    """The priority that impact and urgency give (P21); Low without committed times (P22)."""
    case.priority = Priority.LOW
    if case.impact and case.urgency:
        case.priority = derive(
            Impact(case.impact),
            Urgency(case.urgency),
            case.policy.rules.priority_matrix,
            case.sla is not None,
        )
    return Priority(case.priority)
