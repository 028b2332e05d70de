"""A consultant's day on one page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.queries.day import day_of

from .pages import show


@for_firm
def day(request: HttpRequest) -> HttpResponse:
    """My cases by what falls due, my timer, my time that is not approved, what waits for me."""
    now = clock.now()
    return show(
        request,
        "day",
        current="day",
        day=day_of(person_of(request), now),
        today=timezone.localtime(now).date(),
    )
