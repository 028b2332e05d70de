"""What becomes of a mail that has been kept: the steps of mail rule 4, from top to bottom.

Each step answers with what the mail is, or with None: not mine, ask the next. A mail is read in
a transaction of its own, together with what follows from it; it is never lost.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from acuse.actions import administration, conversation, deliveries, life, mail, notices
from acuse.actions.mail import Reading
from acuse.connectors import storage
from acuse.interfaces.mail.parse import parse
from acuse.interfaces.web import replies
from acuse.models import (
    Address,
    Case,
    LedgerLine,
    Mailbox,
    MailState,
    Message,
    Notice,
    Outcome,
    Person,
    RawMail,
    Version,
)
from acuse.models.roles import is_customer_side, roles_on
from acuse.policy.authors import POSTMAN, Channel, Occasion, person
from acuse.policy.files import File
from acuse.policy.keys import ReplyKey, read_subject_tag
from acuse.policy.refusals import Refused
from acuse.policy.stages import FIRM_ROLES

log = logging.getLogger(__name__)

LANGUAGES = ("es", "en", "pt")
MADE_ID = "@no-message-id.invalid"  # RFC 2606: nobody's domain


def take_in(raw_id: int, now: datetime) -> MailState:
    """Read one kept mail, once; a settled one is left alone. An error is noted on the mail,
    which is tried again later."""
    try:
        with transaction.atomic():
            raw = RawMail.objects.select_for_update(of=("self",)).get(pk=raw_id)
            if raw.state == MailState.RECEIVED:
                mail.settle(raw, read(raw, now))
    except Exception:  # one bad mail never stops the others
        log.exception("mail %s could not be read", raw_id)
        mail.note_failure(raw_id, traceback.format_exc())
    return MailState(RawMail.objects.values_list("state", flat=True).get(pk=raw_id))


def take_in_all(now: datetime) -> int:
    """Read every mail that waits, in the order in which they arrived; returns how many."""
    waiting = RawMail.objects.filter(state=MailState.RECEIVED).order_by("arrived_at", "pk")
    ids = list(waiting.values_list("pk", flat=True))
    for raw_id in ids:
        take_in(raw_id, now)
    return len(ids)


class Letter:
    """A kept mail with what parsing found in it."""

    def __init__(self, raw: RawMail, now: datetime) -> None:
        self.raw, self.now = raw, now
        self.parsed: dict[str, Any] = parse(bytes(raw.content))
        self.sender: str = self.parsed["from_email"].lower()
        self.message_id: str = self.parsed["message_id"] or f"{self.fingerprint()}{MADE_ID}"
        address = Address.objects.select_related("person").filter(email__iexact=self.sender).first()
        self.person = address.person if address is not None and self.sender else None

    def fingerprint(self) -> str:
        """What is the same in two copies of one mail that came by different ways."""
        parsed = self.parsed
        parts = [parsed["from_email"], parsed["subject"], str(parsed["date"]), parsed["text"]]
        parts += [hashlib.sha256(file["data"]).hexdigest() for file in parsed["attachments"]]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()

    def answered_ids(self) -> list[str]:
        """The Message-IDs that it answers, newest first."""
        ids = [self.parsed["in_reply_to"], *self.parsed["references"]]
        return list(dict.fromkeys(filter(None, ids)))

    def key(self) -> ReplyKey | None:
        """Our key in the addresses it was sent to, else in what it answers (mail rules 5, 6)."""
        listed = [entry["email"] for name in ("to", "cc") for entry in self.parsed[name]]
        addresses = [*self.raw.envelope_to, *self.parsed["delivered_to"], *listed]
        return replies.find_reply_key(addresses) or replies.find_message_key(self.answered_ids())

    def is_reading(self, state: MailState, reason: str = "", **more: Any) -> Reading:
        """What it turned out to be."""
        more.setdefault("person", self.person)
        subject = self.parsed["subject"]
        return Reading(
            state,
            reason,
            message_id=self.message_id,
            subject=subject,
            sender=self.sender,
            **more,
        )


Step = Callable[[Letter], Reading | None]


def read(raw: RawMail, now: datetime) -> Reading:
    """What a mail is, with all that follows from it done."""
    letter = Letter(raw, now)
    _wait_for_copies(letter)
    for step in STEPS:
        reading = step(letter)
        if reading is not None:
            return reading
    return open_case(letter)


def _wait_for_copies(letter: Letter) -> None:
    """Two copies of one mail, read at once by two workers, are read one after the other."""
    with connection.cursor() as cursor:
        lock = f"mail/{letter.message_id}"
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])


def own_loop(letter: Letter) -> Reading | None:
    """1. What we sent ourselves comes back: our Message-ID, or one of our addresses as sender."""
    local, _at, domain = letter.sender.partition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    ours = replies.find_message_key([letter.message_id]) is not None
    if ours or Mailbox.objects.filter(address__iexact=plain).exists():
        return letter.is_reading(MailState.IGNORED, "own")
    return None


def second_copy(letter: Letter) -> Reading | None:
    """2. The same mail by another way or to another of our addresses. The same Message-ID with
    other content is another mail."""
    before = (
        RawMail.objects.filter(message_id=letter.message_id[:998])
        .exclude(pk=letter.raw.pk)
        .exclude(state__in=[MailState.RECEIVED, MailState.FAILED])
        .exclude(reason="duplicate")  # a copy of this one, where this one is read again
        .select_related("case")
        .order_by("pk")
    )
    for other in before:
        if Letter(other, letter.now).fingerprint() == letter.fingerprint():
            return letter.is_reading(MailState.IGNORED, "duplicate", case=other.case)
    return None


def bounce(letter: Letter) -> Reading | None:
    """3. A report on a mail of ours: one that failed for good marks its notice and address. Only
    a report that names our signed Message-ID is believed."""
    if not letter.parsed["bounce"]:
        return None
    ids = [letter.parsed["bounced_message_id"], *letter.answered_ids()]
    key = replies.find_message_key(filter(None, ids))
    notice = _notice_of(key)
    if notice is None or letter.parsed["bounce_action"] != "failed":
        case = notice.case if notice is not None else None
        return letter.is_reading(MailState.IGNORED, "bounce", case=case)
    about = ", ".join(map(str, letter.parsed["bounce_recipients"]))
    notices.mark_bounced(notice, f"bounced: {about}", letter.raw.arrived_at)
    return letter.is_reading(MailState.PROCESSED, "bounce", case=notice.case)


def _notice_of(key: ReplyKey | None) -> Notice | None:
    if key is None or key.notice_id is None:
        return None
    rows = Notice.objects.select_related("case", "person", "dispatch__version")
    return rows.filter(pk=key.notice_id, case=key.case_id, person=key.person_id).first()


def automatic(letter: Letter) -> Reading | None:
    """4. Written by a machine: kept and shown on its case, and nothing follows from it."""
    if not letter.parsed["auto_submitted"]:
        return None
    return letter.is_reading(MailState.IGNORED, "automatic", case=_case_of(letter.key()))


def anonymous(letter: Letter) -> Reading | None:
    """5. Nobody can be made of it: somebody at the firm has to look."""
    if "@" in letter.sender:
        return None
    return letter.is_reading(MailState.HELD, "no_sender", case=_case_of(letter.key()))


def directed(letter: Letter) -> Reading | None:
    """6. Somebody at the firm has said what a held mail is: a word on a case, or a new one."""
    if letter.raw.reason == mail.TO_NEW_CASE:
        return open_case(letter)
    if letter.raw.reason == mail.TO_CASE and letter.raw.case is not None:
        return comment(letter, letter.raw.case)
    return None


def answer(letter: Letter) -> Reading | None:
    """7. An answer to our mail, by its key: a comment, if the sender takes part in that case;
    otherwise held, and nothing of the case goes out (mail rules 7 and 9)."""
    key = letter.key()
    case = _case_of(key)
    if key is None or case is None:
        return None
    if letter.person is None or not _may_answer(letter.person, key, case, letter.raw.arrived_at):
        return letter.is_reading(MailState.HELD, "wrong_sender", case=case)
    return comment(letter, case)


def _may_answer(sender: Person, key: ReplyKey, case: Case, at: datetime) -> bool:
    """The customer's people by any key of the case; the firm's by their own alone."""
    roles = roles_on(case, sender, at)
    return bool(roles) and (not roles & FIRM_ROLES or key.person_id == sender.pk)


def proposed(letter: Letter) -> Reading | None:
    """8. It answers a mail that we know, or names a case in its subject: anybody can write that,
    so it is only proposed to somebody at the firm (mail rule 6)."""
    ids = [value[:998] for value in letter.answered_ids()]
    known = RawMail.objects.filter(message_id__in=ids, case__isnull=False)
    other = known.select_related("case").order_by("-pk").first()
    case = other.case if other is not None else _case_of_tag(letter.parsed["subject"])
    if case is None:
        return None
    return letter.is_reading(MailState.HELD, "proposed", case=case)


STEPS: tuple[Step, ...] = (
    own_loop,
    second_copy,
    bounce,
    automatic,
    anonymous,
    directed,
    answer,
    proposed,
)


def _case_of(key: ReplyKey | None) -> Case | None:
    """The key's case; mail on a duplicate goes to the original (P15)."""
    if key is None:
        return None
    return _original(Case.objects.filter(pk=key.case_id).first())


def _case_of_tag(subject: str) -> Case | None:
    number = read_subject_tag(subject)
    return _original(Case.objects.filter(pk=number).first()) if number is not None else None


def _original(case: Case | None) -> Case | None:
    seen = set()
    while case is not None and case.duplicate_of is not None and case.pk not in seen:
        seen.add(case.pk)
        if case.duplicate_of.organisation_id != case.organisation_id:
            break  # the duplicate of another customer's case keeps its own mail
        case = case.duplicate_of
    return case


def comment(letter: Letter, case: Case) -> Reading:
    """The sender's words on a case, from the moment at which they arrived (P16, P24)."""
    if letter.person is None:
        return letter.is_reading(MailState.HELD, "wrong_sender", case=case)
    parsed, raw = letter.parsed, letter.raw
    by = person(letter.person.pk, Channel.MAIL)
    try:
        line = conversation.comment(
            Occasion(case.pk, by, max(raw.arrived_at, case.opened_at)),
            text=parsed["reply_text"].strip() or parsed["text"],
            files=keep_files(parsed["attachments"]),
            raw_mail=raw,
            whole_text=parsed["text"],
            html=parsed["html"],
        )
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal), case=case)
    detail = annul_silence(line, raw, letter.now)
    return letter.is_reading(
        MailState.PROCESSED, "found_late" if detail else "", detail=detail, case=case
    )


def annul_silence(line: LedgerLine, raw: RawMail, now: datetime) -> str:
    """A customer's mail that arrived inside a term proves that there was no silence: what had
    since been accepted by silence is annulled (P24). What had to stay, in words."""
    message = Message.objects.select_related("author", "case").get(pk=line.payload["message"])
    assert message.author is not None
    if not is_customer_side(roles_on(message.case, message.author, message.at)):
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
                Occasion(line.case_id, POSTMAN, max(now, line.at)),
                version=version,
                message=message,
                raw_mail=raw,
            )
        except Refused as refusal:
            log.warning("%s: silence could not be annulled: %s", line.receipt, refusal)
            stayed.append(f"{version}: {refusal}")
    return "\n".join(stayed)


def open_case(letter: Letter) -> Reading:
    """9. Somebody reports a case by mail (P11, P12). The first mail is never cut."""
    parsed, raw = letter.parsed, letter.raw
    sender = letter.person or _meet(letter)
    try:
        line = life.open(
            Occasion(None, person(sender.pk, Channel.MAIL), raw.arrived_at),
            subject=_subject(letter, sender),
            text=parsed["text"],
            files=keep_files(parsed["attachments"]),
            mailbox=raw.mailbox,
            raw_mail=raw,
            whole_text=parsed["text"],
            html=parsed["html"],
            language=parsed["language"] if parsed["language"] in LANGUAGES else "",
        )
    except Refused as refusal:
        return letter.is_reading(MailState.HELD, refusal.code, detail=str(refusal), person=sender)
    return letter.is_reading(MailState.PROCESSED, case=line.case, person=sender)


def _meet(letter: Letter) -> Person:
    """Somebody who writes for the first time, in the language they wrote in."""
    parsed, mailbox = letter.parsed, letter.raw.mailbox
    language = parsed["language"]
    if language not in LANGUAGES:
        customer = mailbox.organisation if mailbox is not None else None
        language = customer.language if customer is not None else "es"
    return administration.add_person(letter.sender, parsed["from_name"], language=language)


def _subject(letter: Letter, sender: Person) -> str:
    """The mail's subject, else its first line, else words for none."""
    lines: Iterable[str] = (letter.parsed["subject"], *letter.parsed["text"].splitlines())
    found = next((" ".join(line.split()) for line in lines if line.strip()), "")
    if found:
        return found
    with translation.override(sender.language):
        return _("(no subject)")


def keep_files(attachments: list[dict[str, Any]]) -> list[File]:
    """Keep the bytes of a mail's files; what an act attaches."""
    return [
        File(
            storage.put([file["data"]])[0],
            file["size"],
            file["shown_name"],
            file["content_type"],
            file["cid"],
        )
        for file in attachments
    ]
