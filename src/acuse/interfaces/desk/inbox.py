"""The inbox: lists with true counts, filters in the address, pages by place; and the search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.datastructures import MultiValueDict

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import DESK, for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Case, Person
from acuse.policy.fields import InvalidField
from acuse.queries.queue import Filters, list_cases, queues, shelves
from acuse.queries.search import Found, search

from .forms import ListFilters
from .pages import show


@for_firm
def inbox(request: HttpRequest) -> HttpResponse:
    """GET ?view= queue= stage= customer= assignee= priority= ball= order= after="""
    person = person_of(request)
    form = ListFilters(person, request.GET)
    filters, order = form.asked()
    wrong = ""
    try:
        page = list_cases(
            person, clock.now(), filters, order=order, after=request.GET.get("after", "")
        )
    except InvalidField as broken:
        wrong = tell_rule(broken)
        filters = replace(filters, view="open")
        page = list_cases(person, clock.now(), filters, order=order)
    return show(
        request,
        "inbox",
        status=400 if wrong or form.errors else 200,
        current="inbox",
        form=form,
        page=page,
        wrong=wrong,
        filters=filters,
        narrowed=form.narrowed(),
        next=_with_place(request.GET, page.after),
        first=_with_place(request.GET, ""),
        **_lists(person, filters),
    )


def _lists(person: Person, filters: Filters) -> dict[str, Any]:
    """The lists at the left, and the title of the one that is open."""
    views, kept = shelves(person), queues(person)
    title = next(shelf.label for shelf in views if shelf.code == filters.view)
    if filters.queue is not None:
        title = next((q.label for q in kept if q.code == str(filters.queue)), title)
    return {"shelves": views, "queues": kept, "title": title}


def _with_place(asked: MultiValueDict[str, str], after: str) -> str:
    """The address of another page of the same list."""
    query = asked.copy()
    query["after"] = after
    if not after:
        del query["after"]
    return query.urlencode()  # type: ignore[attr-defined]


@for_firm
def find(request: HttpRequest) -> HttpResponse:
    """GET ?q=: a case's own number leads to it at once, anything else to a list."""
    person, text = person_of(request), request.GET.get("q", "").strip()[:200]
    now = clock.now()
    if text.upper().startswith("C-") and text[2:].isdecimal() and len(text) <= 14:
        case = Case.objects.visible_to(person).filter(pk=int(text[2:])).first()
        if case is not None:
            return redirect(DESK.case_url(case))
    found = search(person, text, now) if text else Found()
    return show(request, "search", current="search", text=text, found=found)
