"""What a case is pinned to: customer, contract and the versions in force (P09, P22)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from ..models import (
    Area,
    Case,
    ContractVersion,
    Entity,
    Environment,
    Module,
    Organisation,
    find_bank,
    sql,
)
from ..models.base import get_version
from ..policy.contracts import Beyond, version_on
from ..policy.coverage import Choice, ContractFacts, decide
from ..policy.priority import Impact, Priority, Urgency, derive
from ..policy.stages import BEFORE_PROPOSAL, Stage

STANDARD = "standard"  # the firm's own calendar and rates, where no contract says otherwise

_NEWEST = """
    select (select id from acuse_calendarversion
             where name = %(standard)s order by number desc limit 1),
           (select id from acuse_policyversion
             where in_force_from <= %(at)s order by number desc limit 1),
           (select id from acuse_rateversion
             where name = %(standard)s order by number desc limit 1)
"""


def pin_defaults(case: Case, at: datetime) -> None:
    """The firm's own calendar, rates and policy, for as long as no contract says otherwise."""
    [newest] = sql.ask(_NEWEST, {"standard": STANDARD, "at": at})
    case.calendar_id, case.policy_id, case.rates_id = newest


def bind(case: Case, organisation: Organisation) -> Choice:
    """Bind the case to its customer and pin the versions of the contract that covers it, if
    exactly one does. Returns every contract examined with every condition."""
    case.organisation = organisation
    on = case.calendar.calendar.local_day(case.opened_at)
    versions = {version.pk: version for version in _newest_versions(organisation, on)}
    choice = _coverage(case, versions.values(), on)
    case.contract = None
    if choice.contract is not None:
        case.contract = versions[choice.contract.contract_id]
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


def place(
    case: Case,
    *,
    module: Module | None,
    environment: Environment | None,
    entity: Entity | None,
    area: Area | None,
) -> bool:
    """Say what the case is about, and in whose part of the customer. Returns whether that bound it
    to a contract: what a mail does not name may be what a contract covers (P09).

    Cover is decided as of the report, so a clock runs from there. A contract once had is never
    lost, and what a proposal rests on is not changed under it: from there on nothing is bound.
    """
    before = case.module_id, case.environment_id, case.entity_id
    case.module, case.environment, case.entity, case.area = module, environment, entity, area
    if before == (case.module_id, case.environment_id, case.entity_id):
        return False
    if case.contract_id is not None or case.organisation is None:
        return False
    if Stage(case.stage) not in BEFORE_PROPOSAL:
        return False
    return bind(case, case.organisation).contract is not None


def _newest_versions(organisation: Organisation, on: date) -> Iterable[ContractVersion]:
    """Each of the customer's contracts as it stands on a day."""
    rows = sql.ask(
        "select v.id from acuse_contractversion v join acuse_contract c on c.id = v.contract_id"
        " where c.organisation_id = %s order by c.id, v.number",
        [organisation.pk],
    )
    found: dict[int, dict[int, ContractVersion]] = {}
    for (pk,) in rows:
        version: ContractVersion = get_version(ContractVersion, pk)
        found.setdefault(version.contract_id, {})[version.number] = version
    for versions in found.values():
        holding = version_on([version.reach for version in versions.values()], on)
        if holding is not None:
            yield versions[holding.number]


def _coverage(case: Case, versions: Iterable[ContractVersion], on: date) -> Choice:
    """Which of the customer's contracts covers the case on the day it was opened (P09)."""
    facts = [_facts(case, version, on) for version in versions]
    return decide(on, facts, case.environment_id, case.module_id, case.entity_id or 0)


def _facts(case: Case, version: ContractVersion, on: date) -> ContractFacts:
    hours = find_bank(version, on)
    return ContractFacts(
        contract_id=version.pk,
        kind=version.contract.kind,
        starts_on=version.valid_from,
        last_day=version.valid_until,
        # None listed: the contract covers every entity, also one not named on the case.
        entities=version.listed["entities"] or frozenset({case.entity_id or 0}),
        environments=version.listed["environments"],
        modules=version.listed["modules"],
        has_sla=version.sla_id is not None,
        minutes_left=hours.left if hours is not None else None,
        overage=version.beyond == Beyond.RATES,
    )


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
