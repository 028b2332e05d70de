"""A notice as a letter: what happened, what is asked, until when, and how to answer (P12, P16).

In the reader's language and time zone; legal dates in the contract's, which is named. The words
of a message are read through `visible_to`, so what is the firm's alone reaches no customer.
"""

from __future__ import annotations

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
from acuse.interfaces.web import paging, replies
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
from acuse.models.preferences import zone_of
from acuse.policy.keys import looks_signed, subject_tag
from acuse.policy.kinds import KINDS
from acuse.policy.letters import HTML_CLASS, REPLY_ABOVE
from acuse.queries import words
from acuse.queries.calls import Call, find_call
from acuse.queries.disruptions import explaining_to
from acuse.queries.sentence import sentence_for

# What a person says to others is no automatic mail, and must not look like one (mail rule 13).
WORDS_OF_PEOPLE = (
    "comment",
    "internal_note",
    "ask",
    "answer",
    "deliver",
    "log_non_binding_contact",
)
# What was said in a message, which their lines name.
SAID = (
    "open",
    "comment",
    "internal_note",
    "place_mail",
    "answer",
    "attach",
    "log_non_binding_contact",
)
PAGE = "page"
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
    return Letter(_envelope_of(notice), person.email, content)


def _envelope_of(notice: Notice) -> str:
    """What cannot be delivered comes back to an address that names its notice (VERP). Of an
    automatic answer nothing may come back to the address to which people write: two robots would
    talk (RFC 3834, 3.3), so without such an address it has the null sender."""
    sender = replies.bounce_address(notice)
    return sender if looks_signed(sender) or not notice.is_confirmation else ""


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
    told = addressed.confirmation and not addressed.stranger  # nothing to an unproven address
    call = find_call(case) if told else None
    known = explaining_to(case, person) if told else None
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
        "firm": firm_name(),
        "subject": case.subject if _is_proven(person) else "",
        "confirmation": addressed.confirmation,
        "recorded": _recorded(notice, call) if call is not None else "",
        "outage": known.headline if known is not None else "",
        "outage_link": f"{config.host}/status#outage-{known.disruption.pk}" if known else "",
        "too_large": _size_of_what_was_cut(notice) if addressed.confirmation else "",
        "happened": happened,
        "said": said_by(notice) if call is not None or not addressed.confirmation else "",
        "files": [] if addressed.confirmation else _files(notice),
        "asked": sentence.text,
        "yours": sentence.yours,
        "last_day": words.long_date(sentence.last_day) if with_term and sentence.last_day else "",
        "zone": case.calendar.calendar.zone,
        "receipt": line.receipt,
        "moment": words.moment(line.at, zone_of(person), named=True),
        "link": _link(notice),
        "pages": line.kind == PAGE,
        "bound": case.organisation_id is not None,
        "policy_number": case.policy.number,
        "policy_link": f"{config.host}/policy/{case.policy.number}",
    }


def _link(notice: Notice) -> str:
    if notice.line.kind == PAGE:
        return paging.link_for(notice.line.payload["paging"], notice.person)
    return f"{config.host}{'/desk' if notice.person.is_firm else ''}/cases/{notice.case.number}"


def _recorded(notice: Notice, call: Call) -> str:
    """Whoever did not write the report reads who did, and what it takes for it to count (P16)."""
    facts = {
        "by": call.by,
        "medium": call.medium,
        "moment": words.moment(call.at, zone_of(notice.person)),
    }
    said = _("%(by)s wrote it down after a contact by %(medium)s (%(moment)s).") % facts
    asked = _(
        "What is said in that way does not count: please read it, and confirm it in the portal "
        "or answer what is different."
    )
    return f"{said} {asked}"


def firm_name() -> str:
    """What the firm is called."""
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


def _is_proven(person: Person) -> bool:
    """Whether somebody has shown that they read what comes to the address."""
    return Address.objects.filter(
        person=person, email__lower=person.email.lower(), verified_at__isnull=False
    ).exists()


def said_by(notice: Notice) -> str:
    """What somebody wrote, where this reader may read it."""
    payload = notice.line.payload
    kind = notice.line.kind
    if kind == "ask":
        return Wait.objects.get(pk=payload["wait"], case=notice.case).text
    if kind == "deliver":
        return Version.objects.get(pk=payload["version"], case=notice.case).text
    if kind in SAID:
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
    if notice.line.kind == PAGE:
        subject = _("Urgent: %(subject)s") % {"subject": subject}
    return f"{tag} {subject}"


def _from(notice: Notice) -> str:
    firm = firm_name()
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
    if notice.line.kind == PAGE:  # RFC 2156, 5.3.6; and what readers knew before it
        headers |= {"Importance": "high", "X-Priority": "1"}
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
        case=notice.case_id,
        person=notice.person_id,
        pk__lt=notice.pk,
        sent_at__isnull=False,
        digest__isnull=True,  # what a digest told of had no letter of its own
    ).select_related("case__mailbox")
    ours = [replies.message_id(row) for row in earlier.order_by("-pk")[: MOST_REFERENCES - 1]]
    first = RawMail.objects.filter(messages__in=_report_of(notice.case)).first()
    root = first.message_id if first is not None else ""
    usable = root and len(root) <= LONGEST_REFERENCE and not root.endswith(MADE_ID)
    clean = usable and root.isascii() and not any(sign in root for sign in " <>\t\r\n")
    return [*([root] if clean else []), *reversed(ours)]
