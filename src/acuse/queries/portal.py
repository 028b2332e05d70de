"""What a customer's person finds on entering: what waits for them, and their cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from ..models import (
    BankState,
    Case,
    CaseLink,
    ContractVersion,
    Membership,
    Organisation,
    Person,
    PolicyVersion,
    find_bank,
)
from ..policy.contracts import version_on
from ..policy.stages import ENDED, Ball
from . import words
from .case import with_facts
from .sentence import Sentence, sentences

PAGE = 20  # cases


@dataclass(frozen=True)
class Row:
    """One case in a list: with its sentence and the label of its stage."""

    case: Case
    sentence: Sentence
    stage: str


@dataclass(frozen=True)
class CaseList:
    """One page of cases; `before` and `after` are the numbers of the pages around it."""

    rows: list[Row]
    before: int | None
    after: int | None


def _rows(cases: Iterable[Case], person: Person) -> list[Row]:
    found = list(cases)
    said = sentences(found, person)
    stage = words.stage_label
    return [Row(case, said[case.pk], stage(case.stage, firm=person.is_firm)) for case in found]


def waiting_for(person: Person) -> list[Row]:
    """The cases in which it is this person's turn, the nearest last day first (P04)."""
    balls = [Ball.CUSTOMER, Ball.BOTH]
    cases = with_facts(Case.objects.visible_to(person)).filter(ball__in=balls)
    rows = [row for row in _rows(cases.order_by("opened_at"), person) if row.sentence.yours]
    return sorted(rows, key=lambda row: row.sentence.last_day or date.max)


def list_cases(person: Person, *, ended: bool, mine: bool, page: int) -> CaseList:
    """The cases that this person may see, newest first, a page at a time (from 1)."""
    found = _filtered(person, ended=ended, mine=mine)
    start = (max(1, page) - 1) * PAGE
    cases = list(with_facts(found).order_by("-opened_at", "-pk")[start : start + PAGE + 1])
    more = len(cases) > PAGE
    return CaseList(
        _rows(cases[:PAGE], person), page - 1 if page > 1 else None, page + 1 if more else None
    )


def _filtered(person: Person, *, ended: bool, mine: bool) -> QuerySet[Case]:
    found = Case.objects.visible_to(person)
    found = found.filter(stage__in=ENDED) if ended else found.exclude(stage__in=ENDED)
    return found.filter(reporter=person) if mine else found


def links_of(case: Case, person: Person) -> list[tuple[str, Case]]:
    """The cases tied to this one that the person may see, each with its relation in words."""
    visible = Case.objects.visible_to(person)
    links = CaseLink.objects.filter(undone_at__isnull=True).filter(
        Q(case=case, other__in=visible) | Q(other=case, case__in=visible)
    )
    return [
        (words.label(words.LINKS, link.kind), link.other if link.case_id == case.pk else link.case)
        for link in links.select_related("case", "other").order_by("at", "pk")
    ]


@dataclass(frozen=True)
class ContractFacts:
    """A contract as it stands, and its hours in the running period where it has some."""

    version: ContractVersion
    hours: BankState | None


@dataclass(frozen=True)
class OrganisationFacts:
    """A customer as its own people see it."""

    organisation: Organisation
    people: list[Membership]
    contracts: list[ContractFacts]


def organisations_of(person: Person, on: date) -> list[OrganisationFacts]:
    """The customers that this person belongs to, with their people and their contracts as they
    stand on a day (P09)."""
    found = []
    own = Organisation.objects.filter(pk__in=person.organisation_ids()).select_related("spoc")
    for organisation in own.order_by("name"):
        people = Membership.objects.in_force().filter(organisation=organisation)
        ordered = people.select_related("person", "area").order_by("person__name", "role")
        found.append(OrganisationFacts(organisation, list(ordered), _contracts(organisation, on)))
    return found


def _contracts(organisation: Organisation, on: date) -> list[ContractFacts]:
    rows = ContractVersion.objects.filter(contract__organisation=organisation)
    by_contract: dict[int, dict[int, ContractVersion]] = {}
    for row in rows.select_related("contract", "sla").order_by("contract", "number"):
        by_contract.setdefault(row.contract_id, {})[row.number] = row
    found = []
    for versions in by_contract.values():
        holding = version_on([version.reach for version in versions.values()], on)
        if holding is not None:
            version = versions[holding.number]
            found.append(ContractFacts(version, find_bank(version, on)))
    return found


def find_policy(number: int | None) -> PolicyVersion | None:
    """The version of the service policies of this number; the newest without one (P07)."""
    if number is None:
        return PolicyVersion.objects.order_by("-number").first()
    return PolicyVersion.objects.filter(number=number).first()
