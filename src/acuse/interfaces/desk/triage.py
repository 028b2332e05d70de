"""Triage: one new case after another, all that decides where it goes on one screen."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from acuse.actions.registry import FUNCTIONS
from acuse.interfaces.web.doors import DESK, for_firm, key_of, occasion_of, person_of, view_of
from acuse.interfaces.web.forms.life import Classify
from acuse.interfaces.web.pages import REFUSED
from acuse.interfaces.web.refusals import Told, tell
from acuse.policy.refusals import Refused
from acuse.queries import dossier
from acuse.queries import triage as queue
from acuse.queries.case import CaseView

from .pages import show

INVALID = 422
# What else is done with a new case, each at its own page.
OTHERS = ("bind_customer", "take", "ask", "assign", "split", "attach_to_parent", "cancel")


@for_firm
def triage(request: HttpRequest) -> HttpResponse:
    """The first case that waits for triage; where none does, that is said."""
    first = queue.first_waiting(person_of(request))
    if first is None:
        return show(request, "triage_done", current="triage")
    return redirect("desk:triage_case", first)


@for_firm
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case to sort. POST classifies it by the ordinary act, and leads to the next one. 409
    for a refusal, 422 for a form with errors."""
    view = view_of(request, number)
    place = queue.place_of(view.case, view.person)
    if request.method != "POST":
        return _show(request, view, place, Classify(view.case, view.person))
    form = Classify(view.case, view.person, request.POST)
    if not form.is_valid():
        return _show(request, view, place, form, status=INVALID)
    try:
        FUNCTIONS["classify"](occasion_of(request, DESK, view.case), **form.to_details())
    except Refused as refusal:
        told = tell(refusal, view.person)
        if refusal.field:
            form.blame(refusal.field, told.reason)
        return _show(request, view, place, form, told, REFUSED)
    if "stay" in request.POST:
        return redirect("desk:triage_case", number)
    return redirect("desk:triage_case", place.next) if place.next else redirect("desk:triage")


def _show(
    request: HttpRequest,
    view: CaseView,
    place: queue.Place,
    form: Classify,
    refusal: Told | None = None,
    status: int = 200,
) -> HttpResponse:
    return show(
        request,
        "triage",
        status=status,
        current="triage",
        view=view,
        case=view.case,
        place=place,
        form=form,
        refusal=refusal,
        key=key_of(request) or uuid.uuid4().hex,
        report=next(iter(view.messages), None),
        later=view.messages[1:],
        may={act.name for act in view.acts},
        coverage=dossier.coverage_of(view.case),
        why_routed=queue.why_here(view),
        others=OTHERS,
        likely=queue.likely_duplicates(view),
    )
