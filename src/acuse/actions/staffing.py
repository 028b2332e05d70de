"""What the firm's people know, and when they are away (P05, P14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from ..models import (
    Absence,
    CalendarVersion,
    Language,
    Organisation,
    OrganisationKind,
    Person,
    Skills,
    Specialty,
)
from ..policy.fields import N_, InvalidField
from ..policy.routing import days_away
from . import records
from .administration import PERSON

NOT_OF_THE_FIRM = N_("%(person)s does not belong to the firm")
NOT_A_LANGUAGE = N_("%(value)s is not a language that Acuse speaks")
NOT_A_CALENDAR = N_("%(value)s is not one of the firm's calendars")
NOT_A_CUSTOMER = N_("%(name)s is no customer")
SELF = N_("nobody stands in for themselves")
OVERLAPS = N_("there is an absence in these days already")
PAST = N_("these days are over")


@dataclass(frozen=True)
class SkillFacts:
    """What somebody knows and speaks (codes) beside their own language, whose team they are in,
    and the name of the calendar they work by ("": the firm's own)."""

    specialties: Sequence[Specialty] = ()
    languages: Sequence[str] = ()
    customers: Sequence[Organisation] = ()
    calendar: str = ""


@transaction.atomic
def set_skills(person: Person, facts: SkillFacts, *, by: Person, at: datetime) -> Skills:
    """What routing goes by when it looks for somebody, from now on. Raises InvalidField."""
    row = _lock(person)
    for language in facts.languages:
        if language not in [str(code) for code in Language]:
            raise InvalidField("languages", NOT_A_LANGUAGE, value=language)
    known = CalendarVersion.objects.filter(name=facts.calendar)
    if facts.calendar and not known.exists():
        raise InvalidField("calendar", NOT_A_CALENDAR, value=facts.calendar)
    for customer in facts.customers:
        if customer.kind != OrganisationKind.CUSTOMER:
            raise InvalidField("customers", NOT_A_CUSTOMER, name=customer.name)
    skills, _ = Skills.objects.get_or_create(person=row)
    before = _told(
        SkillFacts(
            list(skills.specialties.all()),
            skills.languages,
            list(skills.customers.all()),
            skills.calendar,
        )
    )
    skills.languages, skills.calendar = sorted(set(facts.languages)), facts.calendar
    skills.save()
    skills.specialties.set(facts.specialties)
    skills.customers.set(facts.customers)
    fields = records.compare(before, _told(facts))
    if fields:
        records.note_change(PERSON, row.pk, "set_skills", by=by, at=at, fields=fields)
    return skills


def _told(facts: SkillFacts) -> dict[str, object]:
    return {
        "specialties": ", ".join(sorted(row.name for row in facts.specialties)),
        "languages": ", ".join(sorted(set(facts.languages))),
        "customers": ", ".join(sorted(row.name for row in facts.customers)),
        "calendar": facts.calendar,
    }


@transaction.atomic
def add_absence(
    person: Person,
    first: date,
    last_day: date,
    *,
    by: Person,
    at: datetime,
    substitute: Person | None = None,
) -> Absence:
    """Somebody is away from one day to another, both included, as their own zone counts days; a
    substitute is told what concerns their cases, and gets new ones in their place. Raises
    InvalidField."""
    row = _lock(person)
    since, until = days_away(first, last_day, row.zone)
    if until <= at:
        raise InvalidField("last_day", PAST)
    if substitute is not None and substitute.pk == row.pk:
        raise InvalidField("substitute", SELF)
    if substitute is not None and not (substitute.is_active and substitute.is_firm):
        raise InvalidField("substitute", NOT_OF_THE_FIRM, person=str(substitute))
    others = Absence.objects.filter(person=row, ended_at__isnull=True)
    if others.filter(since__lt=until, until__gt=since).exists():
        raise InvalidField("first", OVERLAPS)
    absence = Absence.objects.create(person=row, since=since, until=until, substitute=substitute)
    fields: dict[str, tuple[object, object]] = {
        "first": (None, first.isoformat()),
        "last_day": (None, last_day.isoformat()),
        "substitute": (None, str(substitute) if substitute is not None else ""),
    }
    records.note_change(PERSON, row.pk, "add_absence", by=by, at=at, fields=fields)
    return absence


@transaction.atomic
def end_absence(absence: Absence, *, by: Person, at: datetime) -> None:
    """They are there again from now on, or will not be away after all; nothing where it was over
    already."""
    if Absence.objects.filter(pk=absence.pk, ended_at__isnull=True, until__gt=at).update(
        ended_at=at
    ):
        records.note_change(PERSON, absence.person_id, "end_absence", by=by, at=at)


def _lock(person: Person) -> Person:
    """Somebody of the firm; what concerns them is changed by one after the other."""
    row = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if not row.is_firm:
        raise InvalidField("person", NOT_OF_THE_FIRM, person=str(row))
    return row
