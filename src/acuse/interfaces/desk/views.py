"""Kept views: a list of the inbox under a name, for oneself or for everybody of the firm."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from acuse.actions import views as acts
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import View
from acuse.policy import filters
from acuse.policy.fields import InvalidField
from acuse.policy.filters import USUAL_COLUMNS, USUAL_ORDER

from .inbox import language
from .inbox_forms import ViewForm
from .pages import show

INVALID = 422


@for_firm
def new_view(request: HttpRequest) -> HttpResponse:
    """GET ?q= sort= column=: the form with what the list shows now. POST keeps it."""
    if request.method != "POST":
        asked = {
            "query": request.GET.get("q", ""),
            "sort": request.GET.get("sort", USUAL_ORDER),
            "columns": request.GET.getlist("column") or list(USUAL_COLUMNS),
        }
        return _show(request, ViewForm(initial=asked), None)
    form = ViewForm(request.POST)
    return _save(request, form, None)


@for_firm
def view(request: HttpRequest, pk: int) -> HttpResponse:
    """A kept view of one's own, or as a manager a shared one: shown on GET, changed on POST."""
    kept = _get(request, pk)
    if request.method == "POST":
        return _save(request, ViewForm(request.POST), kept)
    initial = {
        "name": kept.name,
        "query": filters.write(filters.parse(kept.query).query, language()),
        "sort": kept.sort,
        "columns": kept.columns or list(USUAL_COLUMNS),
        "shared": kept.shared,
    }
    return _show(request, ViewForm(initial=initial), kept)


@for_firm
def retirement(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: the view is no longer offered to anybody."""
    kept = _get(request, pk)
    acts.retire_view(kept, by=person_of(request), at=clock.now())
    messages.success(request, _("“%(name)s” is retired.") % {"name": kept.name})
    return redirect("desk:inbox")


def _get(request: HttpRequest, pk: int) -> View:
    """A view that this person may change; any other looks like none."""
    person = person_of(request)
    kept = View.objects.visible_to(person).in_use().filter(pk=pk).first()
    if kept is None or not kept.may_be_changed_by(person):
        raise Http404(pk)
    return kept


def _save(request: HttpRequest, form: ViewForm, kept: View | None) -> HttpResponse:
    if not form.is_valid():
        return _show(request, form, kept)
    given: dict[str, Any] = form.cleaned_data | {"by": person_of(request), "at": clock.now()}
    try:
        saved = acts.keep_view(**given) if kept is None else acts.change_view(kept, **given)
    except InvalidField as invalid:
        form.add_error(invalid.field, tell_rule(invalid))
        return _show(request, form, kept)
    return redirect(f"{reverse('desk:inbox')}?view={saved.pk}")


def _show(request: HttpRequest, form: ViewForm, kept: View | None) -> HttpResponse:
    wrong = form.is_bound and not form.is_valid()
    return show(
        request,
        "inbox_view",
        status=INVALID if wrong else 200,
        current="inbox",
        form=form,
        kept=kept,
    )
