"""Mail that has not found its case: the list, and what one says."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage

from django.http import Http404, HttpRequest, HttpResponse

from acuse.interfaces.web.doors import for_firm, person_of
from acuse.models import RawMail
from acuse.queries.workload import get_mail, waiting_mail

from .pages import show

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
    return show(request, "mails", current="mails", mails=waiting_mail(person_of(request)))


@for_firm
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail with what is known of it, its text, and why it waits."""
    try:
        found = get_mail(person_of(request), pk)
    except RawMail.DoesNotExist as missing:
        raise Http404 from missing
    shown = preview(bytes(found.content))
    return show(request, "mail", current="mails", mail=found, preview=shown)
