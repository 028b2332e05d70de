"""The firm's webhooks at the desk: set up, tried, looked at, retired (P03)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from acuse.actions import hooks as acts
from acuse.interfaces.web import clock, hooking
from acuse.interfaces.web.doors import person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Hook, HookDelivery
from acuse.policy.fields import N_, InvalidField
from acuse.policy.stages import Role
from acuse.queries import administration as books
from acuse.queries import oncall as questions
from acuse.queries.watching import finding_words

from .oncall_forms import HookForm, Retire
from .pages import for_roles, show

INVALID, REFUSED = 422, 409
KINDS = {
    "page": N_("somebody is paged"),
    "acknowledged": N_("a page was acknowledged"),
    "ping": N_("a trial"),
}
STATES = {
    "waiting": N_("waits"),
    "taken": N_("taken"),
    "failed": N_("given up"),
    "stopped": N_("not sent: retired"),
}
CHANGES = {"add": N_("set it up"), "retire": N_("retired it")}


@for_roles(Role.ADMINISTRATOR)
def hooks(request: HttpRequest) -> HttpResponse:
    """GET: every webhook. POST: another; its secret is shown in the answer and never again."""
    form = HookForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        secret, sealed = hooking.new_secret()
        try:
            row = acts.add_hook(
                **form.cleaned_data, sealed=sealed, by=person_of(request), at=clock.now()
            )
        except InvalidField as wrong:
            _blame(form, wrong)
        else:
            response = _page(request, row, secret=secret)
            response.headers["Cache-Control"] = "no-store"
            return response
    status = INVALID if form.is_bound else 200
    return show(
        request, "oncall_hooks", status=status, current="oncall", hooks=questions.hooks(), form=form
    )


def _blame(form: forms.Form, wrong: InvalidField) -> None:
    form.add_error(wrong.field if wrong.field in form.fields else None, tell_rule(wrong))


def _find(pk: int) -> Hook:
    try:
        return questions.get_hook(pk)
    except ObjectDoesNotExist as missing:
        raise Http404 from missing


@for_roles(Role.ADMINISTRATOR)
def hook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: its last messages and what was answered, who changed what."""
    return _page(request, _find(pk))


def _page(request: HttpRequest, row: Hook, *, status: int = 200, **sent: Any) -> HttpResponse:
    changes = books.changes_of(acts.HOOK, row.pk)
    facts = {
        "hook": row,
        "deliveries": [
            (delivery, _(KINDS[delivery.kind]), _(STATES[delivery.state]), _error(delivery))
            for delivery in questions.deliveries_of(row)
        ],
        "changes": [(change, _(CHANGES[change.act]), []) for change in changes],
        "retire": Retire(),
        **sent,
    }
    return show(request, "oncall_hook", status=status, current="oncall", **facts)


def _error(delivery: HookDelivery) -> str:
    """What went wrong, in words."""
    code, _colon, detail = delivery.error.partition(":")
    if not code:
        return ""
    said = finding_words(code)
    return f"{said} ({detail.strip()})" if detail.strip() else said


@for_roles(Role.ADMINISTRATOR)
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: send a message that says nothing, once, and show what was answered."""
    row, now = _find(pk), clock.now()
    if row.retired_at is not None:
        return _page(request, row, status=REFUSED)
    sent = acts.claim(acts.ping(row, at=now).pk, now)
    assert sent is not None  # it has just been made
    answer = hooking.send(sent, timezone.now())
    hooking.settle(sent, answer, clock.now())
    return _page(request, row, trial=answer, trial_error=_error(sent))


@for_roles(Role.ADMINISTRATOR)
def retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: it is told nothing any more."""
    row = _find(pk)
    form = Retire(request.POST)
    if not form.is_valid():
        return _page(request, row, status=INVALID, retire=form)
    acts.retire_hook(row, by=person_of(request), at=clock.now(), why=form.cleaned_data["why"])
    messages.success(request, _("The webhook is retired: it is told nothing any more."))
    return redirect("desk:hook", pk)
