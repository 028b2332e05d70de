"""A digest as a letter, and sending it: many lines to one person, each once, case by case (P12).

In the reader's language and time zone. It is no answer to anything, so it can be answered by mail
only where it tells of one case; of several, the letter says where.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from acuse.actions import digests
from acuse.config import config
from acuse.interfaces.jobs.handing import Clock, hand_over
from acuse.interfaces.jobs.letters import Letter, firm_name, said_by
from acuse.interfaces.jobs.locks import alone
from acuse.interfaces.web import replies
from acuse.models import Case, Digest, Notice, NoticeState, Person
from acuse.models.preferences import zone_of
from acuse.policy.keys import subject_tag
from acuse.policy.kinds import KINDS
from acuse.policy.letters import HTML_CLASS, REPLY_ABOVE
from acuse.queries import words
from acuse.queries.sentence import sentences

MOST_CHARS = 600  # of what somebody said; the rest is on the page
MOST_NAMED = 3  # cases in the subject


def send(digest_id: int, clock: Clock) -> None:
    """Send one digest, unless somebody is just sending it or it needs no sending any more."""
    with alone("digest", digest_id) as nobody_else:
        if not nobody_else:
            return
        digest = digests.claim(digest_id, clock())
        if digest is not None:
            hand_over(digest, lambda: write(digest, clock()), digests, clock)


@dataclass(frozen=True)
class Told:
    """One line: what happened, when, its receipt, and the beginning of what was said."""

    happened: str
    moment: str
    receipt: str
    said: str


@dataclass(frozen=True)
class Section:
    """One case: its lines, and how it stands now."""

    case: Case
    lines: list[Told]
    asked: str
    yours: bool
    link: str


def write(digest: Digest, at: datetime) -> Letter:
    """The letter of a digest, dated `at`. The same digest has always the same Message-ID."""
    person = digest.person
    related = ("line__author", "case__organisation", "case__calendar", "case__mailbox", "person")
    rows = digest.notices.filter(state=NoticeState.GROUPED).select_related(*related).order_by("pk")
    notices = list(rows)
    cases = {row.case_id: row.case for row in notices}
    alone_case = next(iter(cases.values())) if len(cases) == 1 else None
    with translation.override(person.language):
        context = {
            "sections": _sections(person, notices, cases),
            "title": _title(notices, cases),
            "several": alone_case is None,
            "firm": firm_name(),
            "html_class": HTML_CLASS,
            "reply_above": REPLY_ABOVE[person.language] if alone_case is not None else "",
            "inbox": f"{_site(person)}/notices",
            "profile": f"{config.host}/profile",
        }
        mail = EmailMultiAlternatives(
            subject=_subject(alone_case, str(context["title"])),
            body=render_to_string("mail/digest.txt", context),
            from_email=formataddr((str(context["firm"]), _inlet(alone_case))),
            to=[formataddr((person.name, person.email))],
            headers=_headers(digest, alone_case, notices, at),
        )
        mail.attach_alternative(render_to_string("mail/digest.html", context), "text/html")
        content = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    return Letter(replies.digest_bounce_address(digest), person.email, content)


def _site(person: Person) -> str:
    return f"{config.host}/desk" if person.is_firm else config.host


def _sections(person: Person, notices: list[Notice], cases: dict[int, Case]) -> list[Section]:
    happened = words.line_sentences(row.line for row in notices)
    standing = sentences(cases.values(), person)
    lines: dict[int, list[Told]] = {pk: [] for pk in cases}
    for row in notices:
        moment = words.moment(row.line.at, zone_of(person), named=True)
        said = Truncator(said_by(row)).chars(MOST_CHARS)
        lines[row.case_id].append(Told(happened[row.line_id], moment, row.line.receipt, said))
    return [
        Section(
            case,
            lines[pk],
            standing[pk].text,
            standing[pk].yours,
            f"{_site(person)}/cases/{case.number}",
        )
        for pk, case in cases.items()
    ]


def _title(notices: list[Notice], cases: dict[int, Case]) -> str:
    """How many notices on which cases, with the first few by number."""
    named = ", ".join(case.number for case in list(cases.values())[:MOST_NAMED])
    if len(cases) > MOST_NAMED:
        named = _("%(cases)s and others") % {"cases": named}
    text = ngettext("%(n)s notice on %(cases)s", "%(n)s notices on %(cases)s", len(notices))
    return text % {"n": len(notices), "cases": named}


def _subject(case: Case | None, title: str) -> str:
    """Of one case it stands with that case's other letters; else no tag may name one of many."""
    if case is None:
        return title
    return f"{subject_tag(case.pk)} {' '.join(case.subject.split())}"


def _inlet(case: Case | None) -> str:
    return (replies.inlet_of(case) if case is not None else replies.main_inlet()).address


def _headers(
    digest: Digest, case: Case | None, notices: Iterable[Notice], at: datetime
) -> dict[str, str]:
    headers = {
        "Date": format_datetime(at),
        "Message-ID": f"<{replies.digest_message_id(digest)}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if case is not None:
        internal = any(KINDS[row.line.kind].audience != "customer" for row in notices)
        address = replies.reply_address(case, digest.person_id, internal=internal)
        headers["Reply-To"] = address
    return headers
