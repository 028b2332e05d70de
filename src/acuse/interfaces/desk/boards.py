"""The boards: what falls due, comments to classify, what has failed, my own time."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.queries import workload

from .notices import sends
from .pages import show


@for_firm
def terms(request: HttpRequest) -> HttpResponse:
    """What falls due next, the terms that have passed first."""
    now = clock.now()
    rows = workload.due_terms(person_of(request), now)
    late = [row for row in rows if row.late]
    coming = [row for row in rows if not row.late]
    return show(request, "terms", current="terms", late=late, coming=coming)


@for_firm
def comments(request: HttpRequest) -> HttpResponse:
    """Comments that hold a term until somebody has classified them."""
    holds = workload.comments_to_classify(person_of(request))
    return show(request, "comments", current="comments", holds=holds)


@for_firm
def failures(request: HttpRequest) -> HttpResponse:
    """Alarms: deadlines that could not be acted on, notices that reached nobody."""
    person = person_of(request)
    return show(
        request,
        "failures",
        current="failures",
        deadlines=workload.failed_deadlines(person),
        notices=workload.failed_notices(person),
        sends=sends(request),
    )


@for_firm
def my_time(request: HttpRequest) -> HttpResponse:
    """GET ?month=2026-11: my own time of that month, in my time zone; by default this month."""
    today = timezone.localtime(clock.now()).date()
    first = _month(request.GET.get("month", ""), today)
    after = (first + timedelta(days=32)).replace(day=1)
    return show(
        request,
        "my_time",
        current="my_time",
        first=first,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{after:%Y-%m}" if after <= today else "",
        mine=workload.time_of(person_of(request), first, after - timedelta(days=1)),
    )


def _month(asked: str, today: date) -> date:
    """The first day of the month that was asked for; of this one where it cannot be read."""
    try:
        found = date.fromisoformat(f"{asked}-01")
    except ValueError:
        found = today
    return found.replace(day=1) if 2000 <= found.year <= 2200 else today.replace(day=1)
