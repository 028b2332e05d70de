"""Mail that has not found its case: the list, what one says, and what is done with it."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from acuse.actions import mail as mails_of_the_firm
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.models import MailState, RawMail
from acuse.policy.stages import Role
from acuse.queries import words
from acuse.queries.workload import get_mail, waiting_mail

from .forms import DismissMail, PlaceMail
from .pages import for_roles, show

MOST = 20_000  # characters of a preview


@dataclass(frozen=True)
class Preview:
    """A mail as plain text: its headers of interest, and its first text or what stands raw."""

    headers: list[tuple[str, str]]
    text: str


def preview(content: bytes) -> Preview:
    """What a mail says, for somebody to judge it. A part that cannot be read is left out; a mail
    that cannot be read at all is shown as it is (RFC 5322)."""
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    names = ("From", "To", "Cc", "Date", "Subject")
    headers = [(name, _header(parsed, name)) for name in names]
    return Preview([(name, value) for name, value in headers if value], _text(parsed, content))


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        return str(parsed.get(name, ""))[:500]
    except (ValueError, AttributeError, IndexError, TypeError):  # what the library breaks on
        return ""


def _text(parsed: EmailMessage, content: bytes) -> str:
    try:
        body = parsed.get_body(("plain", "html"))
        found = str(body.get_content()) if body is not None else ""
    except (LookupError, ValueError, AttributeError, TypeError):
        found = ""
    return (found or content.decode("utf-8", "replace")).replace("\0", "")[:MOST]


@for_firm
def mails(request: HttpRequest) -> HttpResponse:
    """Mail received and not processed, held or failed, the oldest first."""
    found = [(row, words.mail_reason(row.reason)) for row in waiting_mail(person_of(request))]
    return show(request, "mails", current="mails", mails=found)


@for_firm
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail with what is known of it, its text, why it waits, and what can be done."""
    return _mail_page(request, _find_mail(request, pk))


def _find_mail(request: HttpRequest, pk: int) -> RawMail:
    try:
        return get_mail(person_of(request), pk)
    except RawMail.DoesNotExist as missing:
        raise Http404 from missing


def _mail_page(
    request: HttpRequest,
    found: RawMail,
    *,
    place: PlaceMail | None = None,
    dismiss: DismissMail | None = None,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    proposed = {"case": found.case.number} if found.case is not None else {}
    return show(
        request,
        "mail",
        status=status,
        current="mails",
        mail=found,
        reason=words.mail_reason(found.reason),
        preview=preview(bytes(found.content)),
        open=found.state in (MailState.HELD, MailState.FAILED),
        place=place or PlaceMail(person_of(request), initial=proposed),
        dismiss=dismiss or DismissMail(),
        wrong=wrong,
    )


@for_roles(Role.SUPPORT, Role.CONSULTANT, Role.MANAGER)
def decide(request: HttpRequest, pk: int, noun: str) -> HttpResponse:
    """POST: a held or failed mail is read once more (reading), put on a case at its arrival
    (case), on a new one (new-case), or leads to nothing, with the reason (dismissal)."""
    found = _find_mail(request, pk)
    place, dismiss = PlaceMail(person_of(request), request.POST), DismissMail(request.POST)
    try:
        if noun == "reading":
            mails_of_the_firm.replay(found)
        elif noun == "new-case":
            mails_of_the_firm.put_on_new_case(found)
        elif noun == "case":
            if not place.is_valid():
                return _mail_page(request, found, place=place, status=422)
            mails_of_the_firm.put_on_case(found, place.cleaned_data["case"])
        elif noun == "dismissal":
            if not dismiss.is_valid():
                return _mail_page(request, found, dismiss=dismiss, status=422)
            why = f"{person_of(request)}: {dismiss.cleaned_data['why']}"
            mails_of_the_firm.dismiss(found, why=why)
        else:
            raise Http404(noun)
    except ValueError:  # settled by somebody else a moment ago, or erased
        wrong = _("This mail is neither held nor failed any more: look at how it stands now.")
        return _mail_page(request, _find_mail(request, pk), wrong=wrong, status=409)
    messages.success(request, _DONE[noun]())
    return redirect("desk:mails")


_DONE: dict[str, Callable[[], str]] = {
    "reading": lambda: _("The mail will be read once more in a moment."),
    "new-case": lambda: _("The mail opens a case of its own in a moment."),
    "case": lambda: _("The mail goes to the case in a moment, dated at its arrival."),
    "dismissal": lambda: _("The mail leads to nothing. It is kept."),
}
