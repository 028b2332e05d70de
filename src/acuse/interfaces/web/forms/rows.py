"""Which rows of a case may be chosen in its forms, and how each is called."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from acuse.models import (
    Area,
    Case,
    CaseType,
    Claim,
    CopiedAddress,
    Delegation,
    Deliverable,
    Entity,
    Environment,
    Estimate,
    Hold,
    Membership,
    Message,
    Module,
    Objection,
    Organisation,
    OrganisationKind,
    Person,
    Queue,
    RootCause,
    Specialty,
    Statement,
    StatementState,
    TimeEntry,
    TimeState,
    Version,
    Wait,
)
from acuse.queries import words


def pending_versions(case: Case, person: Person) -> QuerySet[Version]:
    """Delivered and still to be decided on; the proposal is decided by acts of its own."""
    found = case.versions.filter(outcome="pending", deliverable__proposal=False)
    return found.select_related("deliverable", "window", "case__calendar").order_by("at")


def pending_proposal(case: Case, person: Person) -> QuerySet[Version]:
    found = case.versions.filter(outcome="pending", deliverable__proposal=True)
    return found.select_related("deliverable", "window", "estimate").order_by("at")


def any_pending(case: Case, person: Person) -> QuerySet[Version]:
    found = case.versions.filter(outcome="pending")
    return found.select_related("deliverable", "window").order_by("at")


def unproven(case: Case, person: Person) -> QuerySet[Version]:
    return any_pending(case, person).filter(delivered_at__isnull=True)


def tacitly_accepted(case: Case, person: Person) -> QuerySet[Version]:
    return case.versions.filter(outcome="tacit").select_related("deliverable", "window")


def accepted_results(case: Case, person: Person) -> QuerySet[Version]:
    found = case.versions.filter(outcome__in=["accepted", "tacit"], deliverable__proposal=False)
    return found.select_related("deliverable")


def to_deliver(case: Case, person: Person) -> QuerySet[Deliverable]:
    """Planned, and neither accepted nor waiting for the customer."""
    settled = Version.objects.filter(outcome__in=["pending", "accepted", "tacit"])
    return case.deliverables.filter(proposal=False).exclude(versions__in=settled)


def newest_estimate(case: Case, person: Person) -> QuerySet[Estimate]:
    newest = case.estimates.order_by("-number").values("pk")[:1]
    return case.estimates.filter(pk__in=newest)


def messages(case: Case, person: Person) -> QuerySet[Message]:
    found = Message.objects.visible_to(person).filter(case=case).exclude(kind="internal_note")
    return found.select_related("author").order_by("-at")


def held_messages(case: Case, person: Person) -> QuerySet[Message]:
    """Comments that hold a term until they are classified."""
    running = Hold.objects.filter(ended_at__isnull=True, window__closed_at__isnull=True)
    held = case.messages.filter(holds__in=running)
    return held.select_related("author").distinct().order_by("at")


def open_waits(case: Case, person: Person) -> QuerySet[Wait]:
    return case.waits.filter(ended_at__isnull=True)


def open_objections(case: Case, person: Person) -> QuerySet[Objection]:
    return case.objections.filter(outcome="")


def any_objections(case: Case, person: Person) -> QuerySet[Objection]:
    return case.objections.all()


def any_claims(case: Case, person: Person) -> QuerySet[Claim]:
    return case.claims.all()


def undecided_claims(case: Case, person: Person) -> QuerySet[Claim]:
    return case.claims.filter(covered__isnull=True)


def claims_to_fix(case: Case, person: Person) -> QuerySet[Claim]:
    return case.claims.filter(covered=True, fixed_at__isnull=True)


def time_to_correct(case: Case, person: Person) -> QuerySet[TimeEntry]:
    states = [TimeState.LOGGED, TimeState.SUBMITTED, TimeState.DISPUTED]
    return case.time.filter(state__in=states).select_related("person")


def time_to_approve(case: Case, person: Person) -> QuerySet[TimeEntry]:
    states = [TimeState.SUBMITTED, TimeState.DISPUTED]
    return case.time.filter(state__in=states).select_related("person")


def time_submitted(case: Case, person: Person) -> QuerySet[TimeEntry]:
    return case.time.filter(state=TimeState.SUBMITTED).select_related("person")


def time_disputed(case: Case, person: Person) -> QuerySet[TimeEntry]:
    return case.time.filter(state=TimeState.DISPUTED).select_related("person")


def statements_issued(case: Case, person: Person) -> QuerySet[Statement]:
    return case.statements.filter(state=StatementState.ISSUED)


def statements_approved(case: Case, person: Person) -> QuerySet[Statement]:
    return case.statements.filter(state=StatementState.APPROVED)


def statements_in_force(case: Case, person: Person) -> QuerySet[Statement]:
    return case.statements.exclude(state=StatementState.CREDITED)


def environments(case: Case, person: Person) -> QuerySet[Environment]:
    """Of the case's customer; for a case not open yet, of the person's own organisations."""
    found = Environment.objects.visible_to(person).filter(retired_at__isnull=True)
    if case.organisation_id is not None:
        found = found.filter(organisation=case.organisation_id)
    return found.select_related("organisation").order_by("organisation__name", "name")


def entities(case: Case, person: Person) -> QuerySet[Entity]:
    """The legal entities of the case's customer that are in use, and its own."""
    in_use = Q(retired_at__isnull=True) | Q(pk=case.entity_id)
    return Entity.objects.filter(in_use, organisation=case.organisation_id).order_by("name")


def areas(case: Case, person: Person) -> QuerySet[Area]:
    """The areas of the case's customer that are in use, and its own."""
    in_use = Q(retired_at__isnull=True) | Q(pk=case.area_id)
    return Area.objects.filter(in_use, organisation=case.organisation_id).order_by("name")


def own_organisations(case: Case, person: Person) -> QuerySet[Organisation]:
    return Organisation.objects.filter(pk__in=person.organisation_ids())


def customers(case: Case, person: Person) -> QuerySet[Organisation]:
    found = Organisation.objects.visible_to(person)
    return found.filter(kind=OrganisationKind.CUSTOMER, active=True).order_by("name")


def in_use(model: Any) -> Any:
    """The words of the firm's vocabulary that are not retired."""
    return lambda case, person: model.objects.filter(retired_at__isnull=True)


modules = in_use(Module)
specialties = in_use(Specialty)
types = in_use(CaseType)
root_causes = in_use(RootCause)
queues = in_use(Queue)


def _members(**of: Any) -> QuerySet[Person]:
    held = Membership.objects.in_force().filter(**of)
    return Person.objects.get_queryset().filter(memberships__in=held, is_active=True).distinct()


def firm_people(case: Case, person: Person) -> QuerySet[Person]:
    return _members(organisation__kind=OrganisationKind.FIRM).order_by("name")


def customer_people(case: Case, person: Person) -> QuerySet[Person]:
    """The people of the case's customer; of an unbound case its reporter alone."""
    if case.organisation_id is None:
        return Person.objects.get_queryset().filter(pk=case.reporter_id or 0)
    return _members(organisation=case.organisation_id).order_by("name")


def all_customer_people(case: Case, person: Person) -> QuerySet[Person]:
    found = Person.objects.visible_to(person).filter(is_active=True)
    firm = Membership.objects.in_force().filter(organisation__kind=OrganisationKind.FIRM)
    return found.exclude(memberships__in=firm).order_by("name")


def colleagues(case: Case, person: Person) -> QuerySet[Person]:
    """The people of the person's own side, without themselves."""
    side = firm_people if person.is_firm else customer_people
    return side(case, person).exclude(pk=person.pk)


def passed_on_by(case: Case, person: Person) -> QuerySet[Delegation]:
    """The decisions that the person has passed on and not taken back."""
    found = case.delegations.filter(by=person, ended_at__isnull=True)
    return found.select_related("to").order_by("pk")


def name_delegation(row: Delegation) -> str:
    decision = words.label(words.DECISIONS, row.decision)
    return f"{decision[:1].upper()}{decision[1:]}: {row.to}"


def both_sides(case: Case, person: Person) -> QuerySet[Person]:
    """Everybody who may follow the case; for a customer's person their colleagues."""
    if not person.is_firm:
        return customer_people(case, person)
    sides = Q(organisation__kind=OrganisationKind.FIRM) | Q(organisation=case.organisation_id)
    held = Membership.objects.in_force().filter(sides)
    people = Person.objects.get_queryset().filter(memberships__in=held, is_active=True)
    return people.distinct().order_by("name")


def name_version(version: Version) -> str:
    return _("“%(title)s”, version %(number)s") % {
        "title": version.deliverable.title,
        "number": version.number,
    }


def name_deliverable(row: Deliverable) -> str:
    return f"{words.label(words.DELIVERABLE_KINDS, row.kind)}: {row.title}"


def name_estimate(estimate: Estimate) -> str:
    return _("Scope, version %(number)s") % {"number": estimate.number}


def name_environment(row: Environment) -> str:
    return f"{row.organisation}: {row.name}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"


def name_message(message: Message) -> str:
    author = str(message.author) if message.author is not None else _("Unknown sender")
    return f"{author}: {_short(message.text) or words.long_date(message.at.date())}"


def name_text(row: Any) -> str:
    return _short(row.text)


def name_time(entry: TimeEntry) -> str:
    """One line of time: day, who, activity, minutes billed, what was done."""
    parts = (
        words.long_date(entry.work_date),
        str(entry.person),
        words.label(words.ACTIVITIES, entry.activity),
        words.minutes(entry.billed_minutes) if entry.billable else _("not billed"),
        _short(entry.text),
    )
    return " · ".join(parts)


def name_statement(row: Statement) -> str:
    amount = words.money(row.total, row.currency)
    return _("Statement %(number)s: %(amount)s") % {"number": row.number, "amount": amount}


def copied(case: Case, person: Person) -> QuerySet[CopiedAddress]:
    """Unknown people to whom a mail was copied, and about whom nobody has decided."""
    return CopiedAddress.objects.filter(case=case, settled_at__isnull=True).order_by("pk")


def copied_text(row: CopiedAddress) -> str:
    return f"{row.name} <{row.email}>" if row.name else row.email
