"""The inbox of notices at both doors: shown on GET; that something has been read, noted on POST."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from acuse.actions import preferences
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import Door, person_of
from acuse.policy.fields import find_int
from acuse.queries.notices import list_notices, works_ended


def notices_page(request: HttpRequest, door: Door) -> HttpResponse:
    """GET ?show=unread&before=120: what I have been told, newest first."""
    unread = request.GET.get("show") == "unread"
    page = list_notices(
        person_of(request), unread=unread, before=(find_int(request.GET.get("before", "")) or 0)
    )
    works = works_ended(person_of(request)) if door.firm else []
    context = {"door": door, "page": page, "unread": unread, "current": "notices", "works": works}
    return render(request, "shared/notices.html", context)


def notice_reading(request: HttpRequest, pk: int, door: Door) -> HttpResponse:
    """POST: note that I have read it, and lead to its case."""
    notice = preferences.mark_read(person_of(request), pk, clock.now())
    if notice is None:
        raise Http404
    return redirect(door.case_url(notice.case))


def notices_reading(request: HttpRequest, door: Door) -> HttpResponse:
    """POST newest=: note that I have read everything that I was shown."""
    newest = find_int(request.POST.get("newest", "")) or 0
    preferences.mark_all_read(person_of(request), newest, clock.now())
    return redirect(door.url("notices"))
