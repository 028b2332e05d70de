"""What contracts rest on: committed times, rates, calendars and the policies, each in its versions,
published by managers; and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import tables as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.forms.life import IMPACT, URGENCY
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Person, PolicyVersion, TableKind
from acuse.policy.fields import N_, InvalidField
from acuse.policy.priority import Impact, Matrix, Urgency
from acuse.policy.stages import Role
from acuse.queries import tables as books
from acuse.queries import words
from acuse.queries.administration import windows_touched

from .catalogue import administers
from .customers import told_changes
from .pages import for_roles, show
from .table_forms import PARAMETERS, CalendarForm, PolicyForm, PricesForm, TableForm, TimesForm

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422

TITLES = {TableKind.SLA: N_("Committed times"), TableKind.RATES: N_("Rates")}
NEW = {TableKind.SLA: N_("New table of times"), TableKind.RATES: N_("New list of rates")}
FORMS: dict[str, type[TableForm]] = {TableKind.SLA: TimesForm, TableKind.RATES: PricesForm}


def _kind(kind: str) -> TableKind:
    if kind not in TITLES:
        raise Http404
    return TableKind(kind)


@for_firm
def tables(request: HttpRequest, kind: str) -> HttpResponse:
    """Every table of committed times, or every list of rates."""
    which = _kind(kind)
    return show(
        request,
        "tables",
        current="settings",
        kind=which,
        title=_(TITLES[which]),
        new=_(NEW[which]),
        rows=books.tables(which),
        administers=administers(person_of(request)),
    )


def _find(kind: TableKind, pk: int) -> Any:
    found = books.MODELS[kind]._default_manager.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@for_firm
def table(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """One table in all its versions."""
    which = _kind(kind)
    return _table_page(request, which, _find(which, pk))


def _table_page(
    request: HttpRequest, kind: TableKind, found: Any, refusal: str = ""
) -> HttpResponse:
    return show(
        request,
        "table",
        status=INVALID if refusal else 200,
        current="settings",
        kind=kind,
        title=_(TITLES[kind]),
        found=found,
        versions=books.versions(kind, found.name),
        retired=books.is_retired(kind, found.name),
        refusal=refusal,
        changes=told_changes(books.changes_of_table(kind, found.name)),
        administers=administers(person_of(request)),
    )


@for_roles(*ADMINISTER)
def new_table(request: HttpRequest, kind: str) -> HttpResponse:
    """GET asks, POST publishes the first version of a new table."""
    which = _kind(kind)
    return _publish(request, which, None, _(NEW[which]))


@for_roles(*ADMINISTER)
def next_table(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """GET asks, POST publishes the next version of a table. Contracts keep the version that they
    name."""
    which = _kind(kind)
    newest = books.versions(which, _find(which, pk).name)[0].row
    return _publish(request, which, newest, str(newest.name))


def _publish(request: HttpRequest, kind: TableKind, newest: Any, title: str) -> HttpResponse:
    form = FORMS[kind](newest, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            version = _published(form, person_of(request), clock.now())
        except InvalidField as wrong:
            form.blame(wrong)
        else:
            told = _("Version %(number)s is published. Contracts keep the version that they name.")
            messages.success(request, told % {"number": version.number})
            return redirect("desk:table", kind, version.pk)
    return show(
        request,
        "table_form",
        status=INVALID if form.is_bound else 200,
        current="settings",
        kind=kind,
        section=_(TITLES[kind]),
        title=title,
        form=form,
    )


def _published(form: TableForm, by: Person, at: datetime) -> Any:
    seen, why = form.cleaned_data["seen"], form.cleaned_data["why"]
    if isinstance(form, PricesForm):
        newest = form.newest
        currency = newest.currency if newest is not None else form.cleaned_data["currency"]
        return acts.publish_prices(form.table, currency, form.prices(), seen, by=by, at=at, why=why)
    assert isinstance(form, TimesForm)
    return acts.publish_times(form.table, form.times(), seen, by=by, at=at, why=why)


def _retire(
    request: HttpRequest, kind: TableKind, found: Any, retired: bool
) -> InvalidField | None:
    act = acts.retire_table if retired else acts.restore_table
    try:
        act(kind, found.name, by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        return wrong
    told = _("It is not offered any more.") if retired else _("It is offered again.")
    messages.success(request, told)
    return None


@for_roles(*ADMINISTER)
def table_retirement(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """POST `retired` yes or no: whether new contracts may rest on it."""
    which = _kind(kind)
    found = _find(which, pk)
    wrong = _retire(request, which, found, request.POST.get("retired") == "yes")
    if wrong is not None:
        return _table_page(request, which, found, tell_rule(wrong))
    return redirect("desk:table", kind, pk)


# Calendars --------------------------------------------------------------------------------------


@for_roles(Role.MANAGER)
def new_calendar(request: HttpRequest) -> HttpResponse:
    """GET asks, POST founds a calendar. Its years are reviewed next."""
    return _calendar(request, None, _("New calendar"))


@for_roles(Role.MANAGER)
def calendar_hours(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST publishes other working hours as the next version of a calendar."""
    newest = _find(TableKind.CALENDAR, pk).latest()
    return _calendar(request, newest, str(newest.calendar.name))


def _calendar(request: HttpRequest, newest: Any, title: str) -> HttpResponse:
    form = CalendarForm(newest, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        by, at, why = person_of(request), clock.now(), form.cleaned_data["why"]
        try:
            if newest is None:
                zone = form.cleaned_data["zone"]
                version = acts.found_calendar(form.table, zone, form.week, by=by, at=at, why=why)
            else:
                seen = form.cleaned_data["seen"]
                version = acts.publish_hours(form.table, form.week, seen, by=by, at=at, why=why)
        except InvalidField as wrong:
            form.blame(wrong)
        else:
            told = _("Version %(number)s of the calendar is published.")
            messages.success(request, told % {"number": version.number})
            return redirect("desk:calendar", version.pk)
    return show(
        request,
        "calendar_form",
        status=INVALID if form.is_bound else 200,
        current="calendars",
        title=title,
        form=form,
        touched=windows_touched(newest.name) if newest is not None else 0,
    )


@for_roles(Role.MANAGER)
def calendar_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST `retired` yes or no: whether new contracts may rest on it."""
    found = _find(TableKind.CALENDAR, pk)
    wrong = _retire(request, TableKind.CALENDAR, found, request.POST.get("retired") == "yes")
    if wrong is not None:
        messages.error(request, tell_rule(wrong))
    return redirect("desk:calendar", pk)


# Policies ---------------------------------------------------------------------------------------


@for_firm
def policies(request: HttpRequest) -> HttpResponse:
    """Every version of the policies: from when it is in force, who published it."""
    return show(
        request,
        "policies",
        current="settings",
        versions=books.policy_versions(),
        now=clock.now(),
        manager=person_of(request).is_manager,
    )


@for_firm
def policy(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: its text, its hash, every parameter."""
    found = next((row for row in books.policy_versions() if row.row.pk == pk), None)
    if found is None:
        raise Http404
    rules = found.row.rules
    values = [(_(label), _value(getattr(rules, name))) for name, label in PARAMETERS.items()]
    matrix = [
        (_(IMPACT[impact]), [_cell(rules.priority_matrix, impact, urgency) for urgency in Urgency])
        for impact in Impact
    ]
    return show(
        request,
        "policy",
        current="settings",
        found=found,
        policy=found.row,
        values=values,
        urgencies=[_(URGENCY[urgency]) for urgency in Urgency],
        matrix=matrix,
        changes=told_changes([found.change] if found.change else []),
    )


def _cell(matrix: Matrix, impact: Impact, urgency: Urgency) -> str:
    return words.label(words.PRIORITIES, matrix.cells[impact, urgency])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "—"
    return "—" if value is None else str(value)


@for_roles(Role.MANAGER)
def new_policy(request: HttpRequest) -> HttpResponse:
    """GET asks, POST publishes the next version of the policies. Cases keep the one that they are
    bound to."""
    newest = PolicyVersion.objects.order_by("-number").first()
    form = PolicyForm(newest, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given, now = form.cleaned_data, clock.now()
        try:
            version = acts.publish_rules(
                given["text"],
                form.rules(),
                form.from_when(now),
                given["seen"],
                by=person_of(request),
                at=now,
                why=given["why"],
            )
        except InvalidField as wrong:
            form.blame(wrong)
        else:
            messages.success(request, _("The policies are published."))
            return redirect("desk:policy", version.pk)
    status = INVALID if form.is_bound else 200
    return show(request, "policy_form", status=status, current="settings", form=form)
