"""Routing at the desk: the rules with what they would take, who takes cases, absences (P14)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import routing_rules as rules
from acuse.actions import staffing
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Change, Person, RuleVersion
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries import administration as books
from acuse.queries import routing as questions
from acuse.queries import words
from acuse.queries.why_routed import LANGUAGES

from .pages import for_roles, show
from .routing_forms import AbsenceForm, RuleForm, SkillsForm

ADMINISTER = (Role.ADMINISTRATOR, Role.MANAGER)
INVALID = 422
SHOWN = 50  # cases of a preview; all are counted

DONE = {
    "add": N_("set it up"),
    "edit": N_("changed it"),
    "move": N_("moved it"),
    "retire": N_("retired it"),
    "restore": N_("took it into use again"),
}
LABELS = questions.LABELS | {
    "name": N_("Name"),
    "queue": N_("Queue"),
    "level": N_("Level"),
    "place": N_("Place"),
}


def _administers(request: HttpRequest) -> bool:
    person = person_of(request)
    return person.is_administrator or person.is_manager


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))


def _status(form: forms.Form) -> int:
    return INVALID if form.is_bound and form.errors else 200


@for_firm
def routing(request: HttpRequest) -> HttpResponse:
    """The rules in their order, each with how many of the last cases it would take."""
    return show(
        request,
        "routing",
        current="routing",
        book=questions.rule_book(person_of(request)),
        administers=_administers(request),
    )


@for_roles(*ADMINISTER)
def new_rule(request: HttpRequest) -> HttpResponse:
    """GET asks; POST shows what it would take (`preview`), or adds the rule."""
    form = RuleForm(person_of(request), None, request.POST if request.method == "POST" else None)
    shown = None
    if form.is_bound and form.is_valid():
        if "preview" in request.POST:
            shown = questions.preview(person_of(request), form.draft(), None)
        else:
            try:
                rules.add_rule(form.facts(), by=person_of(request), at=clock.now())
            except InvalidField as wrong:
                _blame(form, wrong)
            else:
                messages.success(request, _("The rule is set up, after all others."))
                return redirect("desk:routing")
    return _rule_page(request, form, None, shown)


def _rule(pk: int) -> RuleVersion:
    try:
        return questions.get_rule(pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@for_roles(*ADMINISTER)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: one rule with what it takes; POST shows what it would take (`preview`), or changes
    it."""
    version, person = _rule(pk), person_of(request)
    form = RuleForm(person, version, request.POST if request.method == "POST" else None)
    shown = questions.preview(person, version, version.rule)
    if form.is_bound and form.is_valid():
        if "preview" in request.POST:
            shown = questions.preview(person, form.draft(), version.rule)
        else:
            try:
                number = form.cleaned_data["number"] or 0
                by, now = person, clock.now()
                rules.change_rule(version.rule, form.facts(), number=number, by=by, at=now)
            except InvalidField as wrong:
                _blame(form, wrong)
            else:
                messages.success(request, _("The rule has been changed."))
                return redirect("desk:routing")
    return _rule_page(request, form, version, shown)


def _rule_page(
    request: HttpRequest,
    form: forms.Form,
    version: RuleVersion | None,
    shown: questions.Preview | None,
) -> HttpResponse:
    return show(
        request,
        "routing_rule",
        status=_status(form),
        current="routing",
        form=form,
        rule=version.rule if version is not None else None,
        preview=shown,
        listed=shown.taken[:SHOWN] if shown is not None else [],
        changes=_history(version.rule_id) if version is not None else [],
    )


def _history(pk: int) -> list[tuple[Change, str, list[tuple[str, str, str]]]]:
    return [
        (change, _(DONE[change.act]), _fields(change))
        for change in books.changes_of(rules.RULE, pk)
    ]


def _fields(change: Change) -> list[tuple[str, str, str]]:
    return [
        (_(LABELS[name]), _shown(name, before), _shown(name, after) or "—")
        for name, (before, after) in change.fields.items()
        if before or after
    ]


_TABLES = {"priority": words.PRIORITIES, "language": LANGUAGES}


def _shown(name: str, value: object) -> str:
    code = str(value or "")
    if name in _TABLES:
        return words.label(_TABLES[name], code)
    return code.upper() if name == "level" else code


@for_roles(*ADMINISTER)
def rule_place(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: one place up or down (`to`)."""
    up = request.POST.get("to") == "up"
    version = _rule(pk)
    if version.rule.retired_at is None:
        rules.move_rule(version.rule, up=up, by=person_of(request), at=clock.now())
    return redirect("desk:routing")


@for_roles(*ADMINISTER)
def rule_retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the rule takes nothing any more."""
    by, now = person_of(request), clock.now()
    rules.set_rule_retired(_rule(pk).rule, True, by=by, at=now)
    messages.success(request, _("The rule is retired."))
    return redirect("desk:routing")


@for_roles(*ADMINISTER)
def rule_restoration(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a retired rule takes cases again, after all others."""
    version, person = _rule(pk), person_of(request)
    try:
        rules.set_rule_retired(version.rule, False, by=person, at=clock.now())
    except InvalidField as wrong:
        messages.error(request, tell_rule(wrong))
        return redirect("desk:routing_rule", pk)
    messages.success(request, _("The rule is in use again, after all others."))
    return redirect("desk:routing")


# People -------------------------------------------------------------------------------------------


@for_firm
def agents(request: HttpRequest) -> HttpResponse:
    """Who takes cases: what they know, how much they have, whether they are there."""
    rows = [
        (row, questions.language_words(row.agent.languages))
        for row in questions.agent_rows(clock.now())
    ]
    return show(request, "agents", current="routing", rows=rows, administers=_administers(request))


@for_roles(*ADMINISTER)
def skills(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST keeps what somebody knows and speaks, and by which calendar they work."""
    try:
        found = questions.get_agent(pk)
    except Person.DoesNotExist as missing:
        raise Http404 from missing
    data = request.POST if request.method == "POST" else None
    form = SkillsForm(person_of(request), found, questions.find_skills(found), data)
    if form.is_bound and form.is_valid():
        try:
            staffing.set_skills(found, form.facts(), by=person_of(request), at=clock.now())
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("Kept: cases are routed by it from now on."))
            return redirect("desk:agents")
    return show(request, "skills", status=_status(form), current="routing", form=form, person=found)


@for_firm
def absences(request: HttpRequest) -> HttpResponse:
    """GET: who is away; POST: somebody will be. Managers and administrators note anybody's
    absence, others their own."""
    person, now = person_of(request), clock.now()
    others = _administers(request)
    today = now.astimezone(ZoneInfo(person.zone)).date()
    form = AbsenceForm(
        person, today, for_others=others, data=request.POST if request.method == "POST" else None
    )
    if form.is_bound and form.is_valid():
        given: dict[str, Any] = form.cleaned_data
        try:
            staffing.add_absence(**given, by=person, at=now)
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            messages.success(request, _("The absence is noted."))
            return redirect("desk:absences")
    return show(
        request,
        "absences",
        status=_status(form),
        current="routing",
        rows=[(row, others or row.absence.person == person) for row in questions.absences(now)],
        form=form,
    )


@for_firm
def absence_end(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: they are there again, or will not be away after all. Who may note an absence may end
    it; to others of the firm it does not exist."""
    person = person_of(request)
    try:
        found = questions.get_absence(pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing
    if not _administers(request) and found.person != person:
        raise Http404
    staffing.end_absence(found, by=person, at=clock.now())
    messages.success(request, _("The absence has ended."))
    return redirect("desk:absences")
