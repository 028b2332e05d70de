"""The firm's own books, to be read: customers, people, contracts, calendars and mailboxes."""

from __future__ import annotations

from django.db.models import Count, Prefetch, Q, QuerySet

from ..models import (
    Area,
    CalendarVersion,
    Change,
    ContractVersion,
    Import,
    Mailbox,
    Membership,
    Organisation,
    OrganisationKind,
    Person,
    Window,
)
from ..policy.stages import ENDED, Role


def customers(person: Person) -> list[Organisation]:
    """The customers that this person sees, each with `open_cases`, `members` (people with a role
    that has not ended) and `contract_count`."""
    rows = Organisation.objects.visible_to(person).filter(kind=OrganisationKind.CUSTOMER)
    running = Q(memberships__until__isnull=True)
    return list(
        rows.select_related("spoc")
        .annotate(
            open_cases=Count("cases", filter=~Q(cases__stage__in=ENDED), distinct=True),
            members=Count("memberships__person", filter=running, distinct=True),
            contract_count=Count("contracts", distinct=True),
        )
        .order_by("name")
    )


def get_customer(person: Person, pk: int) -> Organisation:
    """One customer with its people and their roles, areas, entities, environments, mailboxes and
    every version of its contracts, newest first. Raises Organisation.DoesNotExist."""
    versions = ContractVersion.objects.select_related(
        "sla", "rates", "calendar", "policy"
    ).order_by("-number")
    rows = Organisation.objects.visible_to(person).filter(kind=OrganisationKind.CUSTOMER)
    return (
        rows.select_related("spoc")
        .prefetch_related(
            Prefetch("memberships", _memberships()),
            Prefetch("contracts__versions", versions),
            "areas",
            "entities",
            "environments",
            "mailboxes",
        )
        .get(pk=pk)
    )


def _memberships() -> QuerySet[Membership]:
    rows = Membership.objects.select_related("person", "organisation", "area")
    return rows.order_by("until", "organisation__name", "person__name", "role", "pk")


def people(person: Person, *, organisation: int | None = None) -> list[Person]:
    """The people whom this person sees, by name, each with their roles; of one organisation
    where it is named."""
    rows = Person.objects.visible_to(person)
    if organisation is not None:
        rows = rows.filter(memberships__organisation=organisation).distinct()
    return list(
        rows.prefetch_related(Prefetch("memberships", _memberships())).order_by("name", "email")
    )


def get_person(person: Person, pk: int) -> Person:
    """One person with roles and addresses. Raises Person.DoesNotExist."""
    rows = Person.objects.visible_to(person)
    return rows.prefetch_related(Prefetch("memberships", _memberships()), "addresses").get(pk=pk)


def get_membership(person: Person, pk: int) -> Membership:
    """One role of somebody that this person sees. Raises Membership.DoesNotExist."""
    return _memberships().filter(person__in=Person.objects.visible_to(person)).get(pk=pk)


def organisations(person: Person) -> list[Organisation]:
    """The firm and its customers in which somebody can be given a role, the firm first."""
    rows = Organisation.objects.visible_to(person).filter(active=True)
    return sorted(rows, key=lambda row: (row.kind != OrganisationKind.FIRM, row.name.lower()))


def areas(person: Person) -> list[Area]:
    """The areas of the customers that this person sees."""
    rows = Area.objects.filter(organisation__in=Organisation.objects.visible_to(person))
    return list(rows.select_related("organisation").order_by("organisation__name", "name"))


def firm_people() -> list[Person]:
    """Those who can be assigned a case: everybody with a running role in the firm but a mere
    administrator's."""
    rows = Person.objects.filter(
        memberships__organisation__kind=OrganisationKind.FIRM,
        memberships__until__isnull=True,
        memberships__role__in=[Role.SUPPORT, Role.CONSULTANT, Role.MANAGER],
        is_active=True,
    )
    return list(rows.distinct().order_by("name", "email"))


def calendar_versions(name: str) -> list[CalendarVersion]:
    """Every version of one calendar, newest first."""
    return list(CalendarVersion.objects.filter(name=name).order_by("-number"))


def windows_touched(name: str) -> int:
    """How many running terms count with this calendar: those a new version computes again."""
    return Window.objects.filter(closed_at__isnull=True, calendar__name=name).count()


def mailboxes() -> list[Mailbox]:
    """The addresses at which the firm receives mail, with the mails that wait at each."""
    waiting = Count("rawmail", filter=Q(rawmail__state__in=["received", "held", "failed"]))
    rows = Mailbox.objects.select_related("organisation", "queue").annotate(waiting=waiting)
    return list(rows.order_by("-active", "address"))


def get_mailbox(pk: int) -> Mailbox:
    """One mailbox with its account, where it is polled. Raises Mailbox.DoesNotExist."""
    return Mailbox.objects.select_related("organisation", "queue", "imap").get(pk=pk)


def changes_of(subject: str, row: int, *, limit: int = 100) -> list[Change]:
    """Who changed what of one row of the installation, the newest first."""
    found = Change.objects.filter(subject=subject, row=row).select_related("by")
    return list(found.order_by("-pk")[:limit])


def imports_applied(*, limit: int = 20) -> list[Import]:
    """The files that were applied, the newest first."""
    rows = Import.objects.filter(applied_at__isnull=False).select_related("by")
    return list(rows.order_by("-applied_at")[:limit])
