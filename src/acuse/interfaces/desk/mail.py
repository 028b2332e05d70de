"""Mail that has not found its case: the list, what one says, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from acuse.actions import mail as mails_of_the_firm
from acuse.interfaces.web import clock
from acuse.interfaces.web.cleaning import framed
from acuse.interfaces.web.doors import for_firm, person_of
from acuse.interfaces.web.files import hand_out_bytes
from acuse.interfaces.web.filetags import SEALS, tell_risk
from acuse.interfaces.web.invitations import Invitation, read_invitation
from acuse.interfaces.web.reading import read_mail
from acuse.interfaces.web.refusals import Told, tell, tell_rule
from acuse.models import MailState, RawMail
from acuse.policy.fields import InvalidField, find_int
from acuse.policy.refusals import Refused
from acuse.policy.stages import Role
from acuse.queries import mail as questions
from acuse.queries import words

from .mail_forms import DismissMail, MailList, NewCase, OpenForwarded, PlaceMail
from .pages import for_roles, show

SETTLERS = (Role.SUPPORT, Role.CONSULTANT, Role.MANAGER)
MOST = 50_000  # characters of a text that a page shows
MOST_AT_ONCE = 100
REFUSED, INVALID = 409, 422
SETTLED_BY_HAND = (MailState.HELD, MailState.FAILED)  # the states that somebody can end


@for_firm
def mails(request: HttpRequest) -> HttpResponse:
    """GET ?state= reason= mailbox= q= page=: mail that waits, by default; or what became of it."""
    form = MailList(request.GET)
    page = find_int(request.GET.get("page", ""), 5) or 1
    found = questions.list_mail(person_of(request), form.filters(), page=page)
    return show(
        request,
        "mails",
        current="mails",
        form=form,
        found=found,
        narrowed=any(request.GET.get(name) for name in form.fields),
        before=_page_address(request, page - 1) if page > 1 else "",
        after=_page_address(request, page + 1),
        dismiss=DismissMail(),
        settles=_settles(request) and any(row.mail.state in SETTLED_BY_HAND for row in found.rows),
    )


def _page_address(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return query.urlencode()


def _settles(request: HttpRequest) -> bool:
    held = {m.role for m in person_of(request).active_memberships()}
    return not held.isdisjoint(SETTLERS)


@dataclass(frozen=True)
class Preview:
    """What a mail says: the headers of interest, the answer that was cut out of it, the whole
    text, whether it has HTML, and its files; `cut`: on what ground something was cut."""

    headers: list[tuple[str, str]]
    reply: str
    text: str
    cut: bool
    html: bool
    files: list[dict[str, Any]]
    seal: str
    invitations: list[Invitation] = field(default_factory=list)
    all_headers: list[tuple[str, str]] = field(default_factory=list)


def preview(content: bytes) -> Preview:
    """What a mail says, for somebody to judge it; one that cannot be read is shown as it is."""
    parsed = read_mail(content)
    named = parsed["headers"]
    shown = ("from", "reply-to", "to", "cc", "date", "subject")
    text = parsed["text"] or ("" if parsed["html"] else content.decode("utf-8", "replace"))
    text = text.replace("\0", "")[:MOST]
    reply = parsed["reply_text"].replace("\0", "")[:MOST] or text
    seal = next((code for code in ("encrypted", "signed") if parsed[code]), "")
    calendars = (file for file in parsed["attachments"] if file["kind"] == "invitation")
    found = (read_invitation(file["data"]) for file in calendars)
    return Preview(
        headers=[(name.title(), value) for name in shown for value in named.get(name, [])[:3]],
        reply=reply,
        text=text,
        cut=reply.split() != text.split(),
        html=bool(parsed["html"]),
        files=[
            {**file, "risk": tell_risk(file["filename"], file["data"])}
            for file in parsed["attachments"]
        ],
        seal=_(SEALS[seal]) if seal else "",
        invitations=[one for one in found if one is not None][:3],
        all_headers=[(name.title(), v) for name, values in named.items() for v in values],
    )


@for_firm
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """GET ?find=: one mail with what is known of it, what it says, why it waits, what can be done;
    and cases that it may belong to."""
    return _mail_page(request, _find_mail(request, pk))


def _find_mail(request: HttpRequest, pk: int) -> RawMail:
    try:
        return questions.get_mail(person_of(request), pk)
    except RawMail.DoesNotExist as missing:
        raise Http404 from missing


def _mail_page(
    request: HttpRequest,
    found: RawMail,
    *,
    forms_sent: dict[str, forms.Form] | None = None,
    wrong: str = "",
    refusal: Told | None = None,
    status: int = 200,
) -> HttpResponse:
    open_ = found.state in SETTLED_BY_HAND and bool(found.content)
    settles = open_ and _settles(request)
    asked = request.GET.get("find", "")[:200]
    reader = person_of(request)
    return show(
        request,
        "mail",
        status=status,
        current="mails",
        mail=found,
        reason=words.mail_reason(found.reason),
        state=questions.state_label(found.state),
        verdict=questions.verdict(found),
        preview=preview(bytes(found.content)) if found.content else None,
        lines=questions.lines_about(found),
        open=open_,
        settles=settles,
        reads_raw=_settles(request),
        asked=asked,
        candidates=questions.candidates(reader, found, asked, clock.now()) if settles else [],
        wrong=wrong,
        refusal=refusal,
        **(_forms(request, found) | (forms_sent or {}) if settles else {}),
    )


def _forms(request: HttpRequest, found: RawMail) -> dict[str, Any]:
    reader = person_of(request)
    proposed = {"case": found.case.number} if found.case is not None else {}
    forward = OpenForwarded(reader, found) if _is_forward(found) else None
    return {
        "place": PlaceMail(reader, initial=proposed),
        "new_case": NewCase(),
        "forward": forward,
        "dismiss": DismissMail(),
    }


def _is_forward(found: RawMail) -> bool:
    return found.reason == mails_of_the_firm.FORWARD


@for_firm
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML of a mail, harmless, for the frame of its page."""
    parsed = read_mail(bytes(_find_mail(request, pk).content))
    if not parsed["html"]:
        raise Http404
    images = {
        file["cid"]: reverse("desk:mail_file", args=[pk, number])
        for number, file in enumerate(parsed["attachments"])
        if file["cid"]
    }
    return framed(parsed["html"], images)


@for_firm
def mail_file(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """One file of a mail, by its place among them."""
    files = read_mail(bytes(_find_mail(request, pk).content))["attachments"]
    if number >= len(files):
        raise Http404
    return hand_out_bytes(files[number]["data"], files[number]["shown_name"])


@for_roles(*SETTLERS)
def mail_raw(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The mail byte for byte, as a download."""
    found = _find_mail(request, pk)
    return hand_out_bytes(bytes(found.content), f"mail-{found.pk}.eml")


@for_roles(*SETTLERS)
def decide(request: HttpRequest, pk: int, noun: str) -> HttpResponse:
    """POST: a held or failed mail is read once more (reading), put on a case at its arrival
    (case), on a new one (new-case), on one of whoever wrote what a colleague passed on
    (forward), or leads to nothing, with the reason (dismissal)."""
    found = _find_mail(request, pk)
    if noun not in _DECISIONS:
        raise Http404(noun)
    name, form = _sent(request, found, noun)
    if form is not None and not form.is_valid():
        return _mail_page(request, found, forms_sent={name: form}, status=INVALID)
    given = form.cleaned_data if form is not None else {}
    try:
        _DECISIONS[noun](request, found, given)
    except InvalidField as invalid:
        assert form is not None
        form.add_error(invalid.field if invalid.field in form.fields else None, tell_rule(invalid))
        return _mail_page(request, found, forms_sent={name: form}, status=INVALID)
    except Refused as refused:
        told = tell(refused, person_of(request))
        return _mail_page(request, _find_mail(request, pk), refusal=told, status=REFUSED)
    except ValueError:  # settled by somebody else a moment ago, or erased
        wrong = _("Somebody was first: look at how this mail stands now.")
        return _mail_page(request, _find_mail(request, pk), wrong=wrong, status=REFUSED)
    messages.success(request, _DONE[noun]())
    return redirect("desk:mails")


def _sent(request: HttpRequest, found: RawMail, noun: str) -> tuple[str, forms.Form | None]:
    """The form of a decision as it was sent, and its name on the page."""
    reader, data = person_of(request), request.POST
    if noun == "case":
        return "place", PlaceMail(reader, data)
    if noun == "new-case":
        return "new_case", NewCase(data)
    if noun == "forward":
        return "forward", OpenForwarded(reader, found, data)
    if noun == "dismissal":
        return "dismiss", DismissMail(data)
    return "", None


def _read_again(request: HttpRequest, found: RawMail, given: dict[str, Any]) -> None:
    mails_of_the_firm.replay(found)


def _put_on_case(request: HttpRequest, found: RawMail, given: dict[str, Any]) -> None:
    by, case = person_of(request), given["case"]
    mails_of_the_firm.put_on_case(found, case, by=by, at=clock.now(), why=given["why"])


def _put_on_new_case(request: HttpRequest, found: RawMail, given: dict[str, Any]) -> None:
    by = person_of(request)
    mails_of_the_firm.put_on_new_case(found, by=by, at=clock.now(), why=given["why"])


def _open_forwarded(request: HttpRequest, found: RawMail, given: dict[str, Any]) -> None:
    mails_of_the_firm.open_forwarded(found, by=person_of(request), at=clock.now(), **given)


def _dismiss(request: HttpRequest, found: RawMail, given: dict[str, Any]) -> None:
    mails_of_the_firm.dismiss(found, by=person_of(request), at=clock.now(), why=given["why"])


_DECISIONS: dict[str, Callable[[HttpRequest, RawMail, dict[str, Any]], None]] = {
    "reading": _read_again,
    "new-case": _put_on_new_case,
    "case": _put_on_case,
    "forward": _open_forwarded,
    "dismissal": _dismiss,
}

_DONE: dict[str, Callable[[], str]] = {
    "reading": lambda: _("The mail will be read once more in a moment."),
    "new-case": lambda: _("The mail opens a case of its own in a moment."),
    "case": lambda: _("The mail goes to the case in a moment, dated at its arrival."),
    "forward": lambda: _("The case of whoever wrote it opens in a moment, and they are told."),
    "dismissal": lambda: _("The mail leads to nothing. It is kept."),
}


@for_roles(*SETTLERS)
def dismiss_several(request: HttpRequest) -> HttpResponse:
    """POST: the mails that were ticked lead to nothing, for one reason; those that somebody else
    has settled meanwhile are left as they are, and named."""
    form = DismissMail(request.POST)
    ticked = [row for pk in request.POST.getlist("mail") if (row := find_int(pk)) is not None]
    if not form.is_valid() or not ticked:
        wrong = _("Say why they lead to nothing.") if ticked else _("Tick the mails first.")
        messages.error(request, wrong)
        return redirect("desk:mails")
    done, left = 0, []
    for pk in ticked[:MOST_AT_ONCE]:
        found = _find_mail(request, pk)
        try:
            _dismiss(request, found, form.cleaned_data)
            done += 1
        except (ValueError, Refused):
            left.append(found.subject or f"{found.pk}")
    told = ngettext("%(n)s mail leads to nothing.", "%(n)s mails lead to nothing.", done)
    messages.success(request, told % {"n": done})
    if left:
        named = _("Somebody was first, or it is not yours to settle: %(mails)s")
        messages.warning(request, named % {"mails": ", ".join(left)})
    return redirect("desk:mails")
