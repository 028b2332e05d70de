"""What a customer's person finds on entering: what waits for them, and their cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..models import (
    Attachment,
    BankState,
    Case,
    ContractVersion,
    LinkKind,
    Membership,
    Organisation,
    Person,
    PolicyVersion,
    Watcher,
    find_bank,
)
from ..policy.contracts import version_on
from ..policy.stages import ENDED, Ball, Role
from . import watching, words
from .case import with_facts
from .folder import Folder
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


def rows_of(cases: Iterable[Case], person: Person) -> list[Row]:
    found = list(cases)
    said = sentences(found, person)
    stage = words.stage_label
    return [Row(case, said[case.pk], stage(case.stage, firm=person.is_firm)) for case in found]


def waiting_for(person: Person) -> list[Row]:
    """The cases in which it is this person's turn, the nearest last day first (P04)."""
    balls = [Ball.CUSTOMER, Ball.BOTH]
    cases = with_facts(Case.objects.visible_to(person)).filter(ball__in=balls)
    rows = [row for row in rows_of(cases.order_by("opened_at"), person) if row.sentence.yours]
    return sorted(rows, key=lambda row: row.sentence.last_day or date.max)


class Whose(StrEnum):
    """Which of the cases that somebody may see: what they reported or follow, what belongs to the
    areas that they lead, or all of their organisation."""

    MINE = "mine"
    AREA = "area"
    ORGANISATION = "organisation"


def choices_for(person: Person) -> list[Whose]:
    """What this person may choose between: an area only where they lead one (P10)."""
    area = [Whose.AREA] if _areas_of(person) else []
    return [Whose.MINE, *area, Whose.ORGANISATION]


def usual_for(person: Person) -> Whose:
    """What this person sees first: an owner the organisation, a lead the area, all others what is
    theirs."""
    if any(held.role == Role.OWNER for held in person.active_memberships()):
        return Whose.ORGANISATION
    return Whose.AREA if _areas_of(person) else Whose.MINE


def _areas_of(person: Person) -> list[int]:
    held = person.active_memberships()
    return [m.area_id for m in held if m.role == Role.LEAD and m.area_id is not None]


def list_cases(person: Person, *, ended: bool, whose: Whose, page: int) -> CaseList:
    """The cases that this person may see, newest first, a page at a time (from 1)."""
    found = _filtered(person, ended=ended, whose=whose)
    start = (max(1, page) - 1) * PAGE
    cases = list(with_facts(found).order_by("-opened_at", "-pk")[start : start + PAGE + 1])
    more = len(cases) > PAGE
    return CaseList(
        rows_of(cases[:PAGE], person), page - 1 if page > 1 else None, page + 1 if more else None
    )


def _filtered(person: Person, *, ended: bool, whose: Whose) -> QuerySet[Case]:
    found = Case.objects.visible_to(person)
    found = found.filter(stage__in=ENDED) if ended else found.exclude(stage__in=ENDED)
    if whose is Whose.AREA:
        return found.filter(area__in=_areas_of(person))
    if whose is Whose.MINE:
        follows = Watcher.objects.filter(case=OuterRef("pk"), person=person, until__isnull=True)
        return found.filter(Q(reporter=person) | Exists(follows))
    return found


def links_of(folder: Folder) -> list[tuple[str, Case]]:
    """The cases tied to this one that the reader may see, each with its relation in words. What
    hangs on a parent case is the firm's own affair."""
    found = []
    for link in folder.links:
        end = folder.far.get(link.other_id) or folder.far.get(link.case_id)
        if end is not None and link.kind != LinkKind.PARENT:
            found.append((words.label(words.LINKS, link.kind), end))
    return found


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
    systems: list[watching.Status]


def organisations_of(person: Person, on: date, now: datetime) -> list[OrganisationFacts]:
    """The customers that this person belongs to, with their people, their contracts as they stand
    on a day (P09) and the state of their systems at a moment (P06)."""
    found = []
    systems = watching.statuses(person, now)
    own = Organisation.objects.filter(pk__in=person.organisation_ids()).select_related("spoc")
    for organisation in own.order_by("name"):
        people = Membership.objects.in_force().filter(organisation=organisation)
        ordered = people.select_related("person", "area").order_by("person__name", "role")
        own_systems = [s for s in systems if s.environment.organisation_id == organisation.pk]
        contracts = _contracts(organisation, on)
        found.append(OrganisationFacts(organisation, list(ordered), contracts, own_systems))
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


@dataclass(frozen=True)
class Documents:
    """Files of the cases that somebody may see, newest first; `before`: where the next page
    starts, None at the end."""

    files: list[Attachment]
    before: int | None


def list_documents(person: Person, *, before: int | None, most: int) -> Documents:
    """So many files from a place on; a file that is sent again is a file again."""
    found = Attachment.objects.visible_to(person).filter(
        case__organisation__in=person.organisation_ids()
    )
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(
        found.select_related("case", "blob", "version__deliverable").order_by("-pk")[: most + 1]
    )
    return Documents(rows[:most], rows[most - 1].pk if len(rows) > most else None)


def list_policies() -> list[PolicyVersion]:
    """Every version of the service policies, newest first, without their text (P07)."""
    return list(PolicyVersion.objects.defer("text").order_by("-number"))


def find_policy(number: int | None) -> PolicyVersion | None:
    """The version of the service policies of this number; the newest without one (P07)."""
    if number is None:
        return PolicyVersion.objects.order_by("-number").first()
    return PolicyVersion.objects.filter(number=number).first()
