"""Reporting a case in one's own words: what it will be, what is like it, the draft (P03, P18)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from acuse.actions.drafting import foresee
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import PORTAL, for_customers, person_of
from acuse.interfaces.web.forms.base import ActForm
from acuse.interfaces.web.forms.life import Report
from acuse.interfaces.web.pages import new_case_page
from acuse.models import Case, Organisation, Person
from acuse.queries.forecast import Forecast, forecast
from acuse.queries.similar import find_similar

LONGEST = 2000  # characters of a report that are compared with others


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def report(request: HttpRequest) -> HttpResponse:
    """Report a case in plain words; on POST with `preview` only say what it would be."""
    person = person_of(request)

    def beside(form: ActForm) -> dict[str, Any]:
        return {"forecast": _forecast(person, _values(form))}

    page = "portal/report.html"
    return new_case_page(request, Report, PORTAL, page, draft="report", beside=beside)


@require_safe
@for_customers
def foretold(request: HttpRequest) -> HttpResponse:
    """A part of that page: the priority that the answers give, and what is committed for it."""
    found = _forecast(person_of(request), request.GET)
    return render(request, "portal/forecast.html", {"forecast": found})


@require_safe
@for_customers
def similar(request: HttpRequest) -> HttpResponse:
    """A part of that page: cases of the reporter's organisation that are like theirs."""
    text = f"{request.GET.get('subject', '')} {request.GET.get('text', '')}"[:LONGEST]
    found = find_similar(person_of(request), text, clock.now())
    return render(request, "portal/similar.html", {"rows": found, "door": PORTAL})


def _values(form: ActForm) -> QueryDict:
    """What stands in the form now, typed or from before."""
    if isinstance(form.data, QueryDict) and form.is_bound:
        return form.data
    values = QueryDict(mutable=True)
    for name, value in form.initial.items():
        values[name] = str(value)
    return values


def _forecast(person: Person, values: QueryDict) -> Forecast:
    form = Report(Case(), person, values)
    form.is_valid()
    given = form.cleaned_data
    case = foresee(
        given.get("organisation") or _only(person),
        environment=given.get("environment"),
        module=given.get("module"),
        impact=given.get("impact"),
        urgency=given.get("urgency"),
        at=clock.now(),
    )
    return forecast(case)


def _only(person: Person) -> Organisation | None:
    """The person's organisation, where they have one and no more."""
    ids = person.organisation_ids()
    return Organisation.objects.filter(pk__in=ids).first() if len(ids) == 1 else None
