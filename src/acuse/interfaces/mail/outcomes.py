"""What follows from a mail once it is clear what it is: a word on a case, or a case (P11, P16)."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from acuse.actions import administration, conversation, correspondence, deliveries, life
from acuse.actions.mail import Reading
from acuse.interfaces.mail.copied import note_people
from acuse.interfaces.mail.forwarded import original_files
from acuse.interfaces.mail.letter import LANGUAGES, Letter, keep_files
from acuse.interfaces.web import replies
from acuse.models import (
    Case,
    LedgerLine,
    MailState,
    Message,
    MessageKind,
    Notice,
    Organisation,
    Outcome,
    Person,
    RawMail,
    Version,
    sql,
)
from acuse.models.roles import author, roles_on
from acuse.policy.authors import POSTMAN, Channel, Occasion, person
from acuse.policy.kinds import KINDS
from acuse.policy.refusals import Refused
from acuse.policy.stages import ACTS
from acuse.queries.correspondence import repeats_internal_note

log = logging.getLogger(__name__)

PACE = timedelta(hours=1)
MOST_WORDS = 10  # mails of one sender on one case in that time


def comment(letter: Letter, case: Case) -> Reading:
    """The sender's words on a case, from the moment at which they arrived (P16, P24). What one of
    the firm answers to a notice that only the firm gets stays with the firm."""
    sender, raw = letter.person, letter.raw
    assert sender is not None  # only whoever takes part in the case comes here
    if _goes_in_circles(letter, case):
        return letter.is_reading(MailState.HELD, "loop", case=case)
    occasion = Occasion(
        case.pk, person(sender.pk, Channel.MAIL), max(raw.arrived_at, case.opened_at)
    )
    files = keep_files(letter.parsed["attachments"])
    try:
        if letter.by_firm and _answers_the_firm(letter):
            text = letter.words().strip() or letter.subject(sender.language)
            conversation.internal_note(occasion, text=text, files=files, raw_mail=raw)
            return letter.is_reading(MailState.PROCESSED, case=case)
        if _tells_a_secret(letter, case):
            return letter.is_reading(MailState.HELD, "internal_words", case=case)
        line = conversation.comment(
            occasion,
            text=letter.answer(),
            files=files,
            raw_mail=raw,
            whole_text=letter.words(),
            html=letter.parsed["html"],
        )
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal), case=case)
    note_people(letter, case, sender)
    return _with_silence_annulled(letter, case, line)


def _answers_the_firm(letter: Letter) -> bool:
    """Whether the newest letter of ours that it answers went to the firm's people only. The
    address says so too: mail servers may put another Message-ID on what they send for us."""
    addressed = letter.key()
    if addressed is not None and addressed.internal:
        return True
    key = replies.find_message_key(letter.answered_ids())
    if key is None or key.notice_id is None:
        return False
    notice = Notice.objects.select_related("line").filter(pk=key.notice_id).first()
    return notice is not None and KINDS[notice.line.kind].audience != "customer"


def _tells_a_secret(letter: Letter, case: Case) -> bool:
    """Whether one of the firm would publish what an internal note says, by quoting it."""
    return letter.by_firm and repeats_internal_note(case, letter.answer())


def _goes_in_circles(letter: Letter, case: Case) -> bool:
    """Whether a robot without a robot's headers seems to talk: the same words again within an
    hour, or more mails than a person writes. Such a mail waits for somebody at the firm."""
    since = letter.raw.arrived_at - PACE
    lately = Message.objects.filter(
        case=case,
        author=letter.person,
        channel=Channel.MAIL,
        at__gt=since,
        at__lte=letter.raw.arrived_at,
        raw_mail__isnull=False,
    )
    said = list(lately.values_list("text", flat=True)[: MOST_WORDS + 1])
    return letter.answer().strip() in said or len(said) >= MOST_WORDS


def _reports_in_circles(letter: Letter) -> bool:
    """Whether somebody whom we know reports the same again within an hour: a robot may answer
    each confirmation with a mail that names none of ours. Strangers' meet the brakes."""
    if letter.person is None or letter.parsed["attachments"]:
        return False
    arrived_at, subject = letter.raw.arrived_at, letter.parsed["subject"]
    lately = sql.ask(
        "select raw_mail_id from acuse_message"
        " where author_id = %s and kind = %s and at > %s and at <= %s and text = %s limit %s",
        [
            letter.person.pk,
            MessageKind.REPORT,
            arrived_at - PACE,
            arrived_at,
            letter.words(),
            MOST_WORDS,
        ],
    )
    mails = [pk for (pk,) in lately]  # mostly none
    return bool(mails) and RawMail.objects.filter(pk__in=mails, subject=subject).exists()


def _with_silence_annulled(letter: Letter, case: Case, line: LedgerLine) -> Reading:
    detail = annul_silence(line, letter)
    return letter.is_reading(
        MailState.PROCESSED, "found_late" if detail else "", detail=detail, case=case
    )


def annul_silence(line: LedgerLine, letter: Letter) -> str:
    """A customer's mail that arrived inside a term proves that there was no silence: what had
    since been accepted by silence is annulled (P24). What had to stay, in words."""
    message = Message.objects.select_related("author", "case").get(pk=line.payload["message"])
    if line.payload["side"] == "firm":
        return ""
    silent = Version.objects.filter(
        case=line.case_id,
        outcome=Outcome.TACIT,
        window__starts_at__lte=message.at,
        window__until__gt=message.at,
    )
    stayed = []
    for version in silent.order_by("pk"):
        try:
            deliveries.annul_tacit(
                Occasion(line.case_id, POSTMAN, max(letter.now, line.at)),
                version=version,
                message=message,
                raw_mail=letter.raw,
            )
        except Refused as refusal:
            log.warning("%s: silence could not be annulled: %s", line.receipt, refusal)
            stayed.append(f"{version}: {refusal}")
    return "\n".join(stayed)


def place(letter: Letter, case: Case) -> Reading:
    """Somebody at the firm put a held mail on this case and answers for it."""
    author = _author(letter)
    if _tells_a_secret(letter, case):
        return letter.is_reading(MailState.HELD, "internal_words", case=case)
    try:
        line = correspondence.place_mail(
            _decided(letter, case),
            raw_mail=letter.raw,
            author=author,
            text=letter.answer(),
            files=keep_files(letter.parsed["attachments"]),
            whole_text=letter.words(),
            html=letter.parsed["html"],
        )
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal), case=case)
    if author is not None:
        note_people(letter, case, author)
    return _with_silence_annulled(letter, case, line)


def _author(letter: Letter) -> Person | None:
    """Who wrote it, met where they are new; nobody where the mail does not say."""
    return (letter.person or meet(letter)) if letter.clear else None


def _decided(letter: Letter, case: Case) -> Occasion:
    """The act of whoever decided about this mail at the desk, at the moment they did."""
    by, at = letter.raw.settled_by, letter.raw.settled_at
    assert by is not None  # both were set with the decision
    assert at is not None
    return Occasion(case.pk, person(by.pk, Channel.DESK), max(at, case.opened_at))


def open_case(letter: Letter) -> Reading:
    """Somebody reports a case by mail (P11, P12). The first mail is never cut."""
    parsed, raw = letter.parsed, letter.raw
    if raw.settled_by is None and _reports_in_circles(letter):
        return letter.is_reading(MailState.HELD, "loop")
    sender = _author(letter) or raw.settled_by
    assert sender is not None  # a mail without an author waits for somebody at the firm
    try:
        line = life.open(
            Occasion(None, author(sender, Channel.MAIL), raw.arrived_at),
            subject=letter.subject(sender.language),
            text=letter.words(),
            files=keep_files(parsed["attachments"]),
            mailbox=raw.mailbox,
            raw_mail=raw,
            whole_text=letter.words(),
            html=parsed["html"],
            language=parsed["language"] if parsed["language"] in LANGUAGES else "",
        )
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal), person=sender)
    if raw.settled_by is not None:
        _settle(letter, line.case, "new_case")
    note_people(letter, line.case, sender)
    return letter.is_reading(MailState.PROCESSED, case=line.case, person=sender)


def meet(letter: Letter) -> Person:
    """Somebody who writes for the first time, in the language they wrote in."""
    name = letter.parsed["from_name"]
    return administration.add_person(letter.sender, name, language=letter.language)


def _settle(letter: Letter, case: Case, outcome: str) -> None:
    correspondence.settle_mail(
        _decided(letter, case),
        raw_mail=letter.raw,
        outcome=outcome,
        why=letter.raw.settled_why,
    )


def open_forwarded(letter: Letter) -> Reading:
    """Somebody at the firm confirmed whose mail a colleague passed on: that person's case, from
    the arrival of the forward on; the colleague's own words and files stay with the firm (mail
    rule 18)."""
    raw, told = letter.raw, letter.raw.proposal
    assert raw.settled_by is not None  # set with the decision
    language = told["language"] or letter.language
    reporter = administration.add_person(told["email"], told["name"], language=language)
    customer = Organisation.objects.filter(pk=told["organisation"]).first()
    try:
        with transaction.atomic():  # the case and what the firm says of it, or neither
            line = life.open(
                Occasion(None, person(raw.settled_by.pk, Channel.MAIL), raw.arrived_at),
                subject=told["subject"] or letter.subject(reporter.language),
                text=told["text"],
                reporter=reporter,
                organisation=customer,
                mailbox=raw.mailbox,
                whole_text=told["text"],
                files=keep_files(original_files(letter)),
                language=told["language"],
            )
            _keep_own_words(letter, line.case)
            _settle(letter, line.case, "forward")
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal))
    return letter.is_reading(MailState.PROCESSED, case=line.case)


def _keep_own_words(letter: Letter, case: Case) -> None:
    """What the colleague wrote above the mail, and all that came with it, for the firm alone."""
    raw, forwarder = letter.raw, letter.person
    mine = roles_on(case, forwarder, raw.arrived_at) if forwarder is not None else set()
    by = forwarder if mine & ACTS["internal_note"].who else raw.settled_by
    assert by is not None
    with translation.override(by.language):
        text = raw.proposal["words"] or _("Passed on without a word.")
    conversation.internal_note(
        Occasion(case.pk, person(by.pk, Channel.MAIL), raw.arrived_at),
        text=text,
        files=keep_files(letter.parsed["attachments"]),
        raw_mail=raw,
    )
