"""Who has a case open, and the case in brief beside the list."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from acuse.actions.presence import be_present, leave
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of, view_of
from acuse.models import Case
from acuse.queries.presence import others_present

from .cases import grouped, next_act
from .pages import show

MOST_MESSAGES = 4


@for_firm
def presence(request: HttpRequest, number: str) -> HttpResponse:
    """POST typing= known= leaving=: this person has the case open; who else has. 204 where that
    is what their page shows already (`known`, the tag of the last answer)."""
    person, now = person_of(request), clock.now()
    case = Case.objects.visible_to(person).only("pk").filter(pk=int(number[2:])).first()
    if case is None:
        raise Http404(number)
    if "leaving" in request.POST:
        leave(case, person)
        return HttpResponse(status=204)
    be_present(case, person, typing="typing" in request.POST, at=now)
    others = others_present(case, person, now)
    tag = hashlib.sha256(repr(others).encode()).hexdigest()[:12]
    if request.POST.get("known") == tag:
        return HttpResponse(status=204)
    return show(request, "present", others=others, tag=tag)


@for_firm
def glance(request: HttpRequest, number: str) -> HttpResponse:
    """The case in brief: where it stands, what comes next, what was said last. A page of its own,
    or only its content where a list asks for it."""
    view = view_of(request, number)
    offers = [offer for _label, group in grouped(view.acts, next_act(view)) for offer in group]
    response = show(
        request,
        "glance",
        base="desk/fragment.html" if request.headers.get("HX-Request") else "desk/base.html",
        part=bool(request.headers.get("HX-Request")),
        view=view,
        case=view.case,
        offers=[offer for offer in offers if offer.next or offer.key],
        messages_shown=view.messages[-MOST_MESSAGES:][::-1],
        more=max(0, len(view.messages) - MOST_MESSAGES),
    )
    patch_vary_headers(response, ["HX-Request"])
    return response
