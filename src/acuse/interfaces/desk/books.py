"""The books: customers, people and their roles, calendars and the review of a year."""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from acuse.actions.administration import end_role, give_role
from acuse.actions.customers import register_person
from acuse.actions.tables import review_year
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import CalendarVersion, Membership, Organisation, Person, TableKind
from acuse.policy.calendar import Calendar
from acuse.policy.fields import InvalidField, find_int
from acuse.policy.holidays import colombian_holidays
from acuse.policy.stages import Role
from acuse.queries import administration as books
from acuse.queries import tables

from .customers import history_of_customer, history_of_person, told_changes
from .forms import AddPerson, GiveRole, ReviewYear
from .notices import mends
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422


@for_firm
def customers(request: HttpRequest) -> HttpResponse:
    rows = books.customers(person_of(request))
    return show(
        request,
        "customers",
        current="customers",
        customers=rows,
        administers=_administers(person_of(request)),
    )


@for_firm
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer: people and roles, contracts in all their versions, environments, mailboxes."""
    try:
        found = books.get_customer(person_of(request), pk)
    except Organisation.DoesNotExist as missing:
        raise Http404 from missing
    return show(
        request,
        "customer",
        current="customers",
        customer=found,
        now=clock.now(),
        administers=_administers(person_of(request)),
        changes=history_of_customer(pk),
        missing=_missing(found) if found.active else [],
    )


def _missing(customer: Organisation) -> list[str]:
    """Who is still to be named before the work can go its way, in words."""
    held = [m for m in customer.memberships.all() if m.until is None and m.person.is_active]
    led = {m.area_id for m in held if m.role == Role.LEAD}
    said = []
    if customer.spoc is None:
        said.append(_("Nobody of the firm is its single point of contact (P17)."))
    if all(m.role != Role.OWNER for m in held):
        said.append(_("Nobody is its service owner: no scope can be validated (P17)."))
    for area in customer.areas.all():
        if area.retired_at is None and area.pk not in led:
            said.append(_("Nobody leads the area %(area)s (P10).") % {"area": area.name})
    return said


@for_firm
def people(request: HttpRequest) -> HttpResponse:
    """GET ?organisation=: everybody, or the people of one organisation."""
    reader = person_of(request)
    chosen = find_int(request.GET.get("organisation", ""))
    return show(
        request,
        "people",
        current="people",
        people=books.people(reader, organisation=chosen),
        organisations=books.organisations(reader),
        chosen=chosen,
        now=clock.now(),
        administers=_administers(reader),
    )


def _administers(person: Person) -> bool:
    return person.is_administrator or person.is_manager


@for_firm
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person with addresses and roles; administrators and managers give and end roles."""
    return _person_page(request, _find_person(request, pk))


def _find_person(request: HttpRequest, pk: int) -> Person:
    try:
        return books.get_person(person_of(request), pk)
    except Person.DoesNotExist as missing:
        raise Http404 from missing


def _person_page(
    request: HttpRequest, found: Person, form: GiveRole | None = None, status: int = 200
) -> HttpResponse:
    reader = person_of(request)
    return show(
        request,
        "person",
        status=status,
        current="people",
        person=found,
        form=form or GiveRole(reader, found),
        now=clock.now(),
        administers=_administers(reader),
        mends=mends(request),
        changes=history_of_person(found.pk),
    )


@for_roles(*ADMINISTER)
def new_person(request: HttpRequest) -> HttpResponse:
    """Somebody by their address; whoever is known already is found again."""
    form = AddPerson(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        found = register_person(**form.cleaned_data, by=person_of(request), at=clock.now())
        if found.created_at < clock.now() and found.memberships.exists():
            messages.info(request, _("%(person)s was known already.") % {"person": found})
        return redirect("desk:person", found.pk)
    status = INVALID if form.is_bound else 200
    return show(request, "new_person", status=status, current="people", form=form)


@for_roles(*ADMINISTER)
def roles(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: give this person a role from now on."""
    found = _find_person(request, pk)
    form = GiveRole(person_of(request), found, request.POST)
    if form.is_valid():
        try:
            give_role(found, **form.cleaned_data, since=clock.now(), by=person_of(request))
        except InvalidField as wrong:
            form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))
        else:
            messages.success(request, _("The role holds from now on."))
            return redirect("desk:person", pk)
    return _person_page(request, found, form, INVALID)


@for_roles(*ADMINISTER)
def role_end(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST ends a role now; what was done in it stays."""
    try:
        held = books.get_membership(person_of(request), pk)
    except Membership.DoesNotExist as missing:
        raise Http404 from missing
    if request.method == "POST":
        if held.until is None:
            end_role(held, clock.now(), person_of(request))
            messages.success(request, _("The role has ended."))
        else:
            messages.info(request, _("The role had ended already."))
        return redirect("desk:person", held.person_id)
    return show(request, "role_end", current="people", held=held)


@for_firm
def calendars(request: HttpRequest) -> HttpResponse:
    """The newest version of each calendar; its years, holidays and which years are reviewed."""
    return show(
        request,
        "calendars",
        current="calendars",
        calendars=tables.tables(TableKind.CALENDAR),
        manager=person_of(request).is_manager,
    )


@for_firm
def calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """One version of a calendar, with the versions before it."""
    found = _find_version(pk)
    versions = books.calendar_versions(found.name)
    return show(
        request,
        "calendar",
        current="calendars",
        version=found,
        versions=versions,
        newest=versions[0],
        week=_week(found.calendar),
        years=_years(found.calendar, found.calendar.local_day(clock.now()).year),
        retired=tables.is_retired(TableKind.CALENDAR, found.name),
        changes=told_changes(tables.changes_of_table(TableKind.CALENDAR, found.name)),
        manager=person_of(request).is_manager,
    )


def _find_version(pk: int) -> CalendarVersion:
    found = CalendarVersion.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _week(calendar: Calendar) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each day of the week with its shifts as times of day."""
    return [
        (str(WEEKDAYS[number]), [(_clock(shift.start), _clock(shift.end)) for shift in shifts])
        for number, shifts in enumerate(calendar.week)
    ]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _years(calendar: Calendar, now: int) -> list[tuple[int, bool, list[tuple[date, str]]]]:
    """Each year of the calendar, this year (`now`) and the next one: whether it is reviewed, and
    its holidays."""
    known = {day.year for day in calendar.holidays} | set(calendar.reviewed_years) | {now}
    wanted = sorted(known | {max(known) + 1})
    return [
        (
            year,
            year in calendar.reviewed_years,
            sorted((day, name) for day, name in calendar.holidays.items() if day.year == year),
        )
        for year in wanted
    ]


@for_roles(Role.MANAGER)
def review(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """A manager confirms the holidays of a year: the next version of the calendar, in which
    silence may accept in that year."""
    version = _find_version(pk)
    before = version.calendar
    if request.method == "POST":
        form = ReviewYear(request.POST)
        if form.is_valid() and _publish(form, version.name, year, request):
            messages.success(request, _("The year %(year)s has been reviewed.") % {"year": year})
            return redirect("desk:calendars")
    else:
        form = ReviewYear(initial=_as_listed(version, before, year))
    return show(
        request,
        "review",
        status=INVALID if form.is_bound else 200,
        current="calendars",
        form=form,
        version=version,
        year=year,
        touched=books.windows_touched(version.name),
        proposed=not any(day.year == year for day in before.holidays),
    )


def _as_listed(version: CalendarVersion, calendar: Calendar, year: int) -> dict[str, object]:
    """The year's holidays as the calendar has them; the public list where it has none yet."""
    listed = {day: name for day, name in calendar.holidays.items() if day.year == year}
    if not listed and calendar.zone == "America/Bogota":
        listed = colombian_holidays([year])
    lines = "\n".join(f"{day.isoformat()} {name}" for day, name in sorted(listed.items()))
    return {"number": version.number, "year": year, "holidays": lines}


def _publish(form: forms.Form, name: str, year: int, request: HttpRequest) -> bool:
    """The next version with this year reviewed; False with the error told, where another version
    has been published meanwhile."""
    given = form.cleaned_data
    try:
        review_year(
            name,
            year,
            given["holidays"],
            given["number"],
            by=person_of(request),
            at=clock.now(),
        )
    except InvalidField as wrong:
        form.add_error(None, tell_rule(wrong))
        return False
    return True
