"""The demo's own pages: enter as anybody, read the mail that went out. Never in production."""

from __future__ import annotations

import email
from collections.abc import Callable
from email import policy as mail_policy
from email.message import EmailMessage
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from acuse.config import config
from acuse.interfaces.web import clock
from acuse.interfaces.web.doors import PORTAL
from acuse.models import CaughtMail, Membership, Person
from acuse.policy.fields import find_int

MOST_MAILS = 200
BACKEND = "acuse.interfaces.server.accounts.Entrance"

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def demo_only(page: Page[P]) -> Page[P]:
    """A page that does not exist in a real installation."""

    @wraps(page)
    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if config.production:
            raise Http404
        return page(request, *args, **kwargs)

    return never_cache(asked)


@require_safe
@demo_only
def index(request: HttpRequest) -> HttpResponse:
    """Who is who, the outgoing mail, the demo's time."""
    held = Membership.objects.in_force().filter(person__is_active=True)
    held = held.select_related("person", "organisation", "area")
    context = {
        "door": PORTAL,
        "memberships": held.order_by("organisation__kind", "organisation__name", "person__name"),
        "mails": CaughtMail.objects.defer("content").order_by("-pk")[:MOST_MAILS],
        "now": clock.now(),
    }
    return render(request, "portal/demo.html", context)


@require_POST
@demo_only
def enter(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demo's people, without a code."""
    pk = find_int(request.POST.get("person", ""))
    person = get_object_or_404(Person, pk=pk, is_active=True)
    login(request, person, backend=BACKEND)
    return redirect("/")


@require_safe
@demo_only
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail that went out: as text, as HTML, as it was sent."""
    row = get_object_or_404(CaughtMail, pk=pk)
    message = _read(row)
    context = {
        "door": PORTAL,
        "mail": row,
        "headers": [(name, str(value)) for name, value in message.items()],
        "text": _part(message, "plain"),
        "has_html": bool(_part(message, "html")),
        "raw": bytes(row.content).decode("utf-8", "replace"),
    }
    return render(request, "portal/demo_mail.html", context)


@require_safe
@demo_only
@xframe_options_sameorigin
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail, alone in a sandbox: its own styles, and nothing else of the web's."""
    html = _part(_read(get_object_or_404(CaughtMail, pk=pk)), "html")
    if not html:
        raise Http404
    response = HttpResponse(html)
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "frame-ancestors 'self'"
    )
    return response


def _read(row: CaughtMail) -> EmailMessage:
    return email.message_from_bytes(bytes(row.content), policy=mail_policy.default)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content if isinstance(content, str) else ""
