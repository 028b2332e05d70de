"""Monitoring at the desk: how the environments fare, and what watches them (P06)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import watching as acts
from acuse.config import config
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import AlertSource, Change, Check, Environment
from acuse.policy.alerts import Grouping
from acuse.policy.fields import N_, InvalidField
from acuse.policy.probing import CheckKind
from acuse.policy.stages import Role
from acuse.queries import administration as books
from acuse.queries import watching as questions

from .monitoring_forms import (
    GROUPINGS,
    CheckForm,
    MaintenanceForm,
    Retire,
    SourceForm,
    field_label,
    shown_value,
)
from .pages import for_roles, show

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID, REFUSED = 422, 409


@for_firm
def monitoring(request: HttpRequest) -> HttpResponse:
    """Every environment with its last 90 days, and the cases that may be closed."""
    person, now = person_of(request), clock.now()
    return show(
        request,
        "monitoring",
        current="monitoring",
        statuses=questions.statuses(person, now),
        to_close=questions.to_close(person, now),
    )


def _administers(request: HttpRequest) -> bool:
    person = person_of(request)
    return person.is_administrator or person.is_manager


def _environment(request: HttpRequest, pk: int) -> Environment:
    try:
        return questions.get_environment(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@for_firm
def environment(request: HttpRequest, pk: int) -> HttpResponse:
    """One environment: its history, what watches it, its incidents and maintenance."""
    return _page(request, _environment(request, pk))


def _page(
    request: HttpRequest, found: Environment, *, status: int = 200, **sent: Any
) -> HttpResponse:
    person, now = person_of(request), clock.now()
    shown = questions.statuses(person, now, only=found.pk)
    facts = {
        "environment": found,
        "fares": next(iter(shown), None),
        "checks": [(row, _finding(row.last_finding)) for row in questions.checks_of(found)],
        "sources": [
            (row, _(GROUPINGS[Grouping(row.grouping)])) for row in questions.sources_of(found)
        ],
        "incidents": questions.incidents_of(found),
        "changes": _told(questions.maintenance_changes(found), MAINTENANCE_CHANGES),
        "administers": _administers(request) and found.retired_at is None,
        "address": f"{config.host}/monitoring/alerts",
        "now": now,
        "form": MaintenanceForm(),
        "source_form": SourceForm(),
        **sent,
    }
    return show(request, "environment_status", status=status, current="monitoring", **facts)


def _finding(code: str) -> str:
    return questions.finding_words(code) if code else ""


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))


@for_roles(*ADMINISTER)
def new_check(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST sets a check up."""
    found = _environment(request, pk)
    form = CheckForm(None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = acts.add_check(found, form.facts(), by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("The check is set up: it is asked within a minute."))
            return redirect("desk:check", row.pk)
    status = INVALID if form.is_bound else 200
    return show(
        request, "new_check", status=status, current="monitoring", form=form, environment=found
    )


def _check(request: HttpRequest, pk: int) -> Check:
    try:
        return questions.get_check(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@for_firm
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """One check: what it asks, its latest results, who changed what."""
    return _check_page(request, _check(request, pk))


def _check_page(
    request: HttpRequest, row: Check, *, status: int = 200, **sent: Any
) -> HttpResponse:
    facts = {
        "check": row,
        "kind": _(questions.KINDS[CheckKind(row.kind)]),
        "finding": _finding(row.last_finding),
        "runs": [(run, _finding(run.finding)) for run in questions.runs_of(row)],
        "changes": _changes(acts.CHECK, row.pk),
        "administers": _administers(request),
        "form": CheckForm(row),
        "retire": Retire(),
        **sent,
    }
    return show(request, "check", status=status, current="monitoring", **facts)


CHANGES = {
    "add": N_("set it up"),
    "edit": N_("changed it"),
    "token": N_("replaced its token"),
    "retire": N_("retired it"),
    "restore": N_("took it into use again"),
}
# On the page of an environment, which has more than maintenance.
MAINTENANCE_CHANGES = {
    "add": N_("announced maintenance"),
    "end": N_("ended or called off maintenance"),
}
Told = list[tuple[Change, str, list[tuple[str, str, str]]]]


def _changes(subject: str, pk: int) -> Told:
    return _told(books.changes_of(subject, pk))


def _told(changes: list[Change], acts_told: dict[str, str] = CHANGES) -> Told:
    """Who changed what: for each field its value before ("": it had none) and after."""
    return [
        (
            change,
            _(acts_told[change.act]),
            [
                (
                    field_label(name),
                    "" if before in (None, "") else shown_value(name, before),
                    "—" if after in (None, "") else shown_value(name, after),
                )
                for name, (before, after) in change.fields.items()
                # What was set up stands on the page; a time that was announced may not any more.
                if change.act != "add" or change.subject == acts.MAINTENANCE
            ],
        )
        for change in changes
    ]


@for_roles(*ADMINISTER)
def check_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: what a check asks from now on."""
    row = _check(request, pk)
    form = CheckForm(row, request.POST)
    if form.is_valid():
        try:
            acts.change_check(row, form.facts(), by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("The check has been changed."))
            return redirect("desk:check", pk)
    return _check_page(request, row, status=INVALID, form=form)


@for_roles(*ADMINISTER)
def check_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: it is not asked any more."""
    row = _check(request, pk)
    form = Retire(request.POST)
    if not form.is_valid():
        return _check_page(request, row, status=INVALID, retire=form)
    acts.retire_check(row, by=person_of(request), at=clock.now(), why=form.cleaned_data["why"])
    messages.success(request, _("The check is retired: it is not asked any more."))
    return redirect("desk:check", pk)


@for_roles(*ADMINISTER)
def check_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a retired check is asked again."""
    try:
        acts.restore_check(_check(request, pk), by=person_of(request), at=clock.now())
    except InvalidField as wrong:
        messages.error(request, tell_rule(wrong))
    else:
        messages.success(request, _("The check is asked again."))
    return redirect("desk:check", pk)


@for_roles(*ADMINISTER)
def maintenance(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: announce work on an environment."""
    found = _environment(request, pk)
    form = MaintenanceForm(request.POST)
    if form.is_valid():
        try:
            acts.announce_maintenance(
                found, **form.cleaned_data, by=person_of(request), at=clock.now()
            )
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("The maintenance is announced."))
            return redirect("desk:environment_status", pk)
    return _page(request, found, status=INVALID, form=form)


@for_roles(*ADMINISTER)
def maintenance_end(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the maintenance ends now, or does not take place."""
    try:
        window = questions.get_window(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    try:
        acts.end_maintenance(window, by=person_of(request), at=clock.now())
    except InvalidField:
        messages.info(request, _("The maintenance was over already."))
    else:
        messages.success(request, _("The maintenance is over."))
    return redirect("desk:environment_status", window.environment_id)


@for_roles(*ADMINISTER)
def new_source(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a source of alerts; its token is shown in the answer and never again."""
    found = _environment(request, pk)
    form = SourceForm(request.POST)
    if form.is_valid():
        try:
            row, token = acts.add_source(
                found, **form.cleaned_data, by=person_of(request), at=clock.now()
            )
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            return _token_page(request, row, token)
    return _page(request, found, status=INVALID, source_form=form)


def _token_page(request: HttpRequest, row: AlertSource, token: str) -> HttpResponse:
    response = _source_page(request, row, token=token)
    response.headers["Cache-Control"] = "no-store"
    return response


def _source(request: HttpRequest, pk: int) -> AlertSource:
    try:
        return questions.get_source(person_of(request), pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


# What Alertmanager's configuration says of us, in its own words.
RECEIVER = """receivers:
  - name: acuse
    webhook_configs:
      - url: {host}/monitoring/alerts
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials: {token}"""


def _source_page(
    request: HttpRequest, row: AlertSource, *, status: int = 200, **sent: Any
) -> HttpResponse:
    facts = {
        "source": row,
        "grouping": _(GROUPINGS[Grouping(row.grouping)]),
        "changes": _changes(acts.SOURCE, row.pk),
        "administers": _administers(request),
        "retire": Retire(),
        "token": "",
        **sent,
    }
    facts["receiver"] = RECEIVER.format(host=config.host, token=facts["token"] or "…")
    return show(request, "alert_source", status=status, current="monitoring", **facts)


@for_firm
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """One source of alerts: how to set it up, who changed what."""
    return _source_page(request, _source(request, pk))


@for_roles(*ADMINISTER)
def source_token(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: another token, shown in the answer and never again."""
    row = _source(request, pk)
    if row.retired_at is not None:
        return _source_page(request, row, status=REFUSED)
    token = acts.replace_token(row, by=person_of(request), at=clock.now())
    return _token_page(request, row, token)


@for_roles(*ADMINISTER)
def source_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: its alerts are refused from now on."""
    row = _source(request, pk)
    form = Retire(request.POST)
    if not form.is_valid():
        return _source_page(request, row, status=INVALID, retire=form)
    acts.retire_source(row, by=person_of(request), at=clock.now(), why=form.cleaned_data["why"])
    messages.success(request, _("The source is retired: its alerts are refused."))
    return redirect("desk:alert_source", pk)
