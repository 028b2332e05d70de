"""A notice as a letter: what happened, what is asked, until when, and how to answer (P12, P16).

In the reader's language and time zone; legal dates in the contract's, which is named. The words
of a message are read through `visible_to`, so what is the firm's alone reaches no customer.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from acuse.config import config
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Case,
    Message,
    MessageKind,
    Notice,
    Organisation,
    OrganisationKind,
    Person,
    RawMail,
    Version,
    Wait,
)
from acuse.policy.keys import subject_tag
from acuse.policy.kinds import KINDS
from acuse.policy.letters import HTML_CLASS, REPLY_ABOVE
from acuse.queries import words
from acuse.queries.sentence import sentence_for

# What a person says to others is no automatic mail, and must not look like one (mail rule 13).
WORDS_OF_PEOPLE = ("comment", "ask", "answer", "deliver", "log_non_binding_contact")
MOST_REFERENCES = 8  # the root and our last letters; rule 13 allows ten
LONGEST_REFERENCE = 200  # characters; longer ones would not fit a line of headers
MADE_ID = ".invalid"  # an id that we made for a mail that had none


@dataclass(frozen=True)
class Letter:
    """A mail ready to be handed over: envelope and bytes. `sender` "" is the null sender."""

    sender: str
    recipient: str
    content: bytes


def write(notice: Notice, at: datetime) -> Letter:
    """The letter of one notice, dated `at`. The same notice has always the same Message-ID."""
    person = notice.person
    with translation.override(person.language):
        addressed = _addressed(notice)
        context = _context(notice, addressed)
        mail = EmailMultiAlternatives(
            subject=_subject(notice, addressed),
            body=render_to_string("mail/notice.txt", context),
            from_email=_from(notice),
            to=[person.email if addressed.stranger else formataddr((person.name, person.email))],
            headers=_headers(notice, at),
        )
        mail.attach_alternative(render_to_string("mail/notice.html", context), "text/html")
        content = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    # A confirmation answers with the null sender, so that two robots never talk and a forged
    # sender gets no reports (RFC 3834, 3.3); what else cannot be delivered names its notice.
    sender = "" if notice.is_confirmation else replies.bounce_address(notice)
    return Letter(sender, person.email, content)


@dataclass(frozen=True)
class Addressed:
    """To whom a letter goes: whether it confirms their own report, and whether to an address that
    nobody has proven. Nothing that the mail said goes to such a one: somebody else may have
    written it into the From, their name included (mail rule 12)."""

    confirmation: bool
    stranger: bool


def _addressed(notice: Notice) -> Addressed:
    confirmation = notice.is_confirmation
    return Addressed(confirmation, confirmation and not _is_proven(notice.person))


def _context(notice: Notice, addressed: Addressed) -> dict[str, object]:
    case, person, line = notice.case, notice.person, notice.line
    sentence = sentence_for(case, person)
    with_term = notice.legal and sentence.last_day is not None
    happened = (
        _("A case was opened for your message.")
        if addressed.stranger
        else words.line_sentence(line)
    )
    return {
        "case": case,
        "reply_above": REPLY_ABOVE[person.language],
        "html_class": HTML_CLASS,
        "firm": _firm(),
        "subject": case.subject if _is_proven(person) else "",
        "confirmation": addressed.confirmation,
        "too_large": _size_of_what_was_cut(notice) if addressed.confirmation else "",
        "happened": happened,
        "said": "" if addressed.confirmation else _said(notice),
        "files": [] if addressed.confirmation else _files(notice),
        "asked": sentence.text,
        "yours": sentence.yours,
        "last_day": words.long_date(sentence.last_day) if with_term and sentence.last_day else "",
        "zone": case.calendar.calendar.zone,
        "receipt": line.receipt,
        "moment": words.moment(line.at, _zone_of(person), named=True),
        "link": f"{config.host}{'/desk' if person.is_firm else ''}/cases/{case.number}",
        "bound": case.organisation_id is not None,
        "policy_number": case.policy.number,
        "policy_link": f"{config.host}/policy/{case.policy.number}",
    }


def _firm() -> str:
    return Organisation.objects.get(kind=OrganisationKind.FIRM).name


def _size_of_what_was_cut(notice: Notice) -> str:
    """How large the mail was that reported the case, where it was too large to be kept whole."""
    size = (
        RawMail.objects.filter(messages__in=_report_of(notice.case), complete=False)
        .values_list("size", flat=True)
        .first()
    )
    return filesizeformat(size) if size is not None else ""


def _report_of(case: Case) -> QuerySet[Message]:
    return case.messages.filter(kind=MessageKind.REPORT, raw_mail__isnull=False).order_by("pk")[:1]


def _zone_of(person: Person) -> str:
    try:
        return zoneinfo.ZoneInfo(person.zone).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return "America/Bogota"


def _is_proven(person: Person) -> bool:
    """Whether somebody has shown that they read what comes to the address."""
    return Address.objects.filter(
        person=person, email__lower=person.email.lower(), verified_at__isnull=False
    ).exists()


def _said(notice: Notice) -> str:
    """What somebody wrote, where this reader may read it."""
    payload = notice.line.payload
    kind = notice.line.kind
    if kind == "ask":
        return Wait.objects.get(pk=payload["wait"], case=notice.case).text
    if kind == "deliver":
        return Version.objects.get(pk=payload["version"], case=notice.case).text
    if kind in ("open", "comment", "place_mail", "answer", "attach", "log_non_binding_contact"):
        found = Message.objects.visible_to(notice.person).filter(
            pk=payload["message"], case=notice.case
        )
        return found.values_list("text", flat=True).first() or ""
    return ""


def _files(notice: Notice) -> list[str]:
    if notice.line.kind != "deliver":
        return []
    version = Version.objects.get(pk=notice.line.payload["version"], case=notice.case)
    return list(version.files.order_by("pk").values_list("filename", flat=True))


def _subject(notice: Notice, addressed: Addressed) -> str:
    tag = subject_tag(notice.case_id)
    if addressed.stranger:
        subject = _("We received your message")
    else:
        subject = " ".join(notice.case.subject.split())
    return f"{tag} {subject}"


def _from(notice: Notice) -> str:
    firm = _firm()
    author = notice.line.author
    by_person = notice.line.kind in WORDS_OF_PEOPLE and author is not None
    name = f"{author} ({firm})" if by_person and author and author.is_firm else firm
    return formataddr((name, replies.inlet_of(notice.case).address))


def _headers(notice: Notice, at: datetime) -> dict[str, str]:
    headers = {
        "Date": format_datetime(at),
        "Message-ID": f"<{replies.message_id(notice)}>",
        "Reply-To": replies.reply_address(
            notice.case,
            notice.person_id,
            internal=KINDS[notice.line.kind].audience != "customer",
        ),
    }
    thread = _thread(notice)
    if thread:
        headers["In-Reply-To"] = f"<{thread[-1]}>"
        headers["References"] = " ".join(f"<{value}>" for value in thread)
    if notice.is_confirmation:
        headers["Auto-Submitted"] = "auto-replied"
        headers["X-Auto-Response-Suppress"] = "All"
    elif notice.line.kind not in WORDS_OF_PEOPLE or notice.line.author_kind != "person":
        headers["Auto-Submitted"] = "auto-generated"
    return headers


def _thread(notice: Notice) -> list[str]:
    """The mail that the case began with, and our last letters to this person, oldest first."""
    earlier = Notice.objects.filter(
        case=notice.case_id, person=notice.person_id, pk__lt=notice.pk, sent_at__isnull=False
    ).select_related("case__mailbox")
    ours = [replies.message_id(row) for row in earlier.order_by("-pk")[: MOST_REFERENCES - 1]]
    first = RawMail.objects.filter(messages__in=_report_of(notice.case)).first()
    root = first.message_id if first is not None else ""
    usable = root and len(root) <= LONGEST_REFERENCE and not root.endswith(MADE_ID)
    clean = usable and root.isascii() and not any(sign in root for sign in " <>\t\r\n")
    return [*([root] if clean else []), *reversed(ours)]
