"""The state of the customer's own systems, now and in the last 90 days (P06)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import PORTAL, for_customers, person_of
from acuse.queries import disruptions, watching


@require_safe
@for_customers
def status(request: HttpRequest) -> HttpResponse:
    """Each environment of the reader's organisations."""
    person, now = person_of(request), clock.now()
    context = {
        "door": PORTAL,
        "statuses": watching.statuses(person, now),
        "outages": disruptions.lately(person, now),
    }
    return render(request, "portal/status.html", context)
