"""Letters that reached nobody: those not sent on purpose, sending one again, an address mended."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from acuse.actions import notices as acts
from acuse.actions.addresses import clear_bouncing
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.refusals import tell_rule
from acuse.models import Address, Notice
from acuse.policy.fields import InvalidField, find_int
from acuse.policy.stages import Role
from acuse.queries import outgoing as questions

from .pages import for_roles, show

SENDERS = (Role.SUPPORT, Role.CONSULTANT, Role.MANAGER)
MENDERS = (*SENDERS, Role.ADMINISTRATOR)


@for_firm
def unsent(request: HttpRequest) -> HttpResponse:
    """GET ?before=: what was not sent on purpose, the newest first, from a place on."""
    before = find_int(request.GET.get("before", ""))
    page = questions.list_unsent(person_of(request), before=before)
    later = before is not None
    can = sends(request)
    return show(request, "unsent", current="health", page=page, later=later, sends=can)


def sends(request: HttpRequest) -> bool:
    """Whether whoever looks may have a letter sent again."""
    return _holds(request, SENDERS)


def mends(request: HttpRequest) -> bool:
    """Whether whoever looks may say that mail reaches an address again."""
    return _holds(request, MENDERS)


def _holds(request: HttpRequest, roles: tuple[Role, ...]) -> bool:
    return not {m.role for m in person_of(request).active_memberships()}.isdisjoint(roles)


@for_roles(*SENDERS)
def sending(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: a letter that came to nothing, or waits for somebody to vouch, goes out now."""
    try:
        found = questions.get_notice(person_of(request), pk)
    except Notice.DoesNotExist as missing:
        raise Http404 from missing
    try:
        acts.send_again(found, by=person_of(request), at=clock.now())
    except ValueError:  # somebody else was first
        messages.warning(request, _("Somebody was first: it is on its way or has arrived."))
    else:
        messages.success(request, _("The letter goes out in a moment."))
    return redirect(_back(request, reverse("desk:failures")))


def _back(request: HttpRequest, otherwise: str) -> str:
    asked = request.POST.get("back", "")
    here = url_has_allowed_host_and_scheme(asked, allowed_hosts=None) and asked.startswith("/desk/")
    return asked if here else otherwise


@for_roles(*MENDERS)
def recovery(request: HttpRequest, pk: int) -> HttpResponse:
    """POST: mail reaches an address again that was marked as bouncing, with the reason."""
    address = Address.objects.filter(pk=pk).first()
    if address is None:
        raise Http404
    try:
        why = request.POST.get("why", "").replace("\0", "")[:500]
        clear_bouncing(address, by=person_of(request), at=clock.now(), why=why)
    except InvalidField as wrong:
        messages.error(request, tell_rule(wrong))
    else:
        messages.success(request, _("The address is no longer marked as bouncing."))
    return redirect("desk:person", address.person_id)
