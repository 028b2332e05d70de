"""What becomes of a mail that has been kept: the steps of mail rule 4, from top to bottom.

Each step answers with what the mail is, or with None: not mine, ask the next. A mail is read in
a transaction of its own, together with what follows from it; it is never lost.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from acuse.actions import digests, mail, notices
from acuse.actions.mail import Reading
from acuse.interfaces.mail.authentication import authenticate
from acuse.interfaces.mail.forwarded import hold_forward
from acuse.interfaces.mail.letter import Letter
from acuse.interfaces.mail.outcomes import PACE, comment, open_case, open_forwarded, place
from acuse.interfaces.mail.returned import judge_return
from acuse.interfaces.web import replies
from acuse.models import (
    Authentication,
    Case,
    Digest,
    Mailbox,
    MailState,
    Notice,
    Person,
    RawMail,
    sql,
)
from acuse.models.roles import roles_on
from acuse.policy.keys import ReplyKey, read_subject_tag
from acuse.policy.stages import FIRM_ROLES

log = logging.getLogger(__name__)

MOST_CASES = 10  # of one stranger in an hour
LONGEST_STATEMENT = "60s"  # of the database; reading the mail itself is bounded by its length


def take_in(raw_id: int, now: datetime) -> MailState:
    """Read one kept mail, once; a settled one is left alone. An error is noted on the mail,
    which is tried again later. Returns the state to which it has come."""
    try:
        with transaction.atomic():
            raw = _lock(raw_id)
            if raw.state == MailState.RECEIVED:
                letter = Letter(raw, now)
                ask_for_author(letter)
                mail.settle(raw, read(letter))
        return MailState(raw.state)
    except Exception:  # one bad mail never stops the others
        log.exception("mail %s could not be read", raw_id)
        return mail.note_failure(raw_id, traceback.format_exc())


def _lock(raw_id: int) -> RawMail:
    [(raw, mailbox)] = sql.read(
        "from acuse_rawmail r left join acuse_mailbox m on m.id = r.mailbox_id where r.id = %s"
        " for update of r",
        [raw_id],
        r=RawMail,
        m=Mailbox,
    )
    raw.mailbox = mailbox
    kept: RawMail = raw
    return kept


def ask_for_author(letter: Letter) -> None:
    """Ask, once, whether the author's domain vouches for a mail. While the DNS is asked nothing is
    locked but this mail; trouble in asking leaves the verdict unknown and loses nothing."""
    raw = letter.raw
    if raw.authentication:
        return
    try:
        found = authenticate(raw, letter.head)
        raw.authentication, raw.authentication_detail = found.verdict, found.grounds
    except Exception as trouble:
        log.exception("mail %s: its author could not be verified", raw.pk)
        raw.authentication, raw.authentication_detail = Authentication.UNKNOWN, repr(trouble)


def take_in_all(now: datetime) -> int:
    """Read every mail that waits, in the order in which they arrived; returns how many."""
    waiting = RawMail.objects.filter(state=MailState.RECEIVED).order_by("arrived_at", "pk")
    ids = list(waiting.values_list("pk", flat=True))
    for raw_id in ids:
        take_in(raw_id, now)
    return len(ids)


Step = Callable[[Letter], Reading | None]


def read(letter: Letter) -> Reading:
    """What a mail is, with all that follows from it done."""
    _wait_for_copies(letter)
    for step in STEPS:
        reading = step(letter)
        if reading is not None:
            return reading
    return open_case(letter)


def _wait_for_copies(letter: Letter) -> None:
    """Two copies of one mail, read at once by two workers, are read one after the other. From here
    on no statement of this transaction may take longer than LONGEST_STATEMENT (mail rule 2)."""
    with connection.cursor() as cursor:
        lock = f"mail/{letter.message_id}"
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0)),"
            " set_config('statement_timeout', %s, true)",
            [lock, LONGEST_STATEMENT],
        )


def own_loop(letter: Letter) -> Reading | None:
    """1. What we sent ourselves comes back: our Message-ID, or one of our addresses as sender."""
    ids = [letter.message_id]
    ours = replies.find_message_key(ids) or replies.find_digest_key(ids)
    if ours or letter.is_ours(letter.sender):
        return letter.is_reading(MailState.IGNORED, "own")
    return None


def second_copy(letter: Letter) -> Reading | None:
    """2. The same mail by another way or to another of our addresses. The same Message-ID with
    other content is another mail. A held copy that nobody vouched for takes nothing from one
    that is vouched for."""
    for other in letter.known_mails(letter.message_id):
        unread = other.state in (MailState.RECEIVED, MailState.FAILED)
        worse = other.state == MailState.HELD and other.authentication != Authentication.PASS
        # A copy of this one, where this one is read again, does not make it a copy.
        if unread or other.reason == "duplicate" or (worse and letter.proven):
            continue
        if Letter(other, letter.now).fingerprint() == letter.fingerprint():
            return letter.is_reading(MailState.IGNORED, "duplicate", case=other.case)
    return None


def bounce(letter: Letter) -> Reading | None:
    """3. A report on a mail of ours: one that failed for good marks its notice and address. Only
    a report that came to an address which we signed for that notice, or that names our signed
    Message-ID, is believed; a delay marks nothing."""
    notice = _notice_of_verp(letter)
    report = judge_return(letter.parsed, letter.raw.envelope_from, verp=notice is not None)
    if not report:
        return None
    if notice is None:
        ids = [letter.parsed["bounced_message_id"], *letter.answered_ids()]
        notice = _notice_of(replies.find_message_key(filter(None, ids)))
    case = notice.case if notice is not None else None
    if notice is not None and report == "unreadable":
        return letter.is_reading(MailState.HELD, "bounce", case=case)
    if notice is None or report != "failed":
        return letter.is_reading(MailState.IGNORED, "bounce", case=case)
    about = ", ".join(map(str, letter.parsed["bounce_recipients"])) or notice.person.email
    stays = notices.mark_bounced(
        notice,
        f"bounced: {about}",
        letter.raw.arrived_at,
        raw_mail=letter.raw,
        now=letter.now,
    )
    reason = "found_late" if stays else "bounce"
    return letter.is_reading(MailState.PROCESSED, reason, detail=stays, case=case)


def returned_digest(letter: Letter) -> Reading | None:
    """The same of a digest: what it told of has reached nobody."""
    found = replies.find_digest_bounce_key(_addresses(letter))
    report = judge_return(letter.parsed, letter.raw.envelope_from, verp=found is not None)
    if found is None and report:
        ids = [letter.parsed["bounced_message_id"], *letter.answered_ids()]
        found = replies.find_digest_key(filter(None, ids))
    if found is None or not report:
        return None
    if report == "unreadable":
        return letter.is_reading(MailState.HELD, "bounce")
    if report == "failed":
        digest = Digest.objects.select_related("person").get(pk=found)
        about = ", ".join(map(str, letter.parsed["bounce_recipients"])) or digest.person.email
        digests.mark_bounced(digest, f"bounced: {about}", letter.raw.arrived_at)
        return letter.is_reading(MailState.PROCESSED, "bounce")
    return letter.is_reading(MailState.IGNORED, "bounce")


def _addresses(letter: Letter) -> list[str]:
    """Where it was sent to, by its envelope and its headers."""
    listed = [entry["email"] for name in ("to", "cc") for entry in letter.parsed[name]]
    return [*letter.raw.envelope_to, *letter.parsed["delivered_to"], *listed]


def _notice_of_verp(letter: Letter) -> Notice | None:
    notice_id = replies.find_bounce_key(_addresses(letter))
    rows = Notice.objects.select_related("case", "person", "dispatch__version")
    return rows.filter(pk=notice_id).first() if notice_id is not None else None


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


def directed(letter: Letter) -> Reading | None:
    """5. Somebody at the firm has said what a held mail is. Nobody can answer for a mail that
    names one of the firm without proof."""
    raw = letter.raw
    if raw.reason not in (mail.TO_CASE, mail.TO_NEW_CASE, mail.TO_FORWARD):
        return None
    if letter.by_firm and not letter.proven:
        return letter.is_reading(MailState.HELD, "unproven", case=raw.case)
    if raw.reason == mail.TO_FORWARD:
        return open_forwarded(letter)
    return place(letter, raw.case) if raw.case is not None else open_case(letter)


def unclear(letter: Letter) -> Reading | None:
    """6. It does not name exactly one author: somebody at the firm has to look."""
    if letter.clear:
        return None
    reason = "unclear_sender" if letter.sender else "no_sender"
    return letter.is_reading(MailState.HELD, reason, case=_case_of(letter.key()))


def unproven(letter: Letter) -> Reading | None:
    """7. What nobody may write without proof: the firm's people write by mail only where their
    domain vouches for it, and the customer's approvers never against their domain's word (mail
    rules 8 and 9). Nor does a stranger write under the name of one of the firm."""
    case = _case_of(letter.key())
    if letter.by_firm and not letter.proven:
        reason = "spoofed" if letter.spoofed else "unproven"
        return letter.is_reading(MailState.HELD, reason, case=case)
    if letter.spoofed and letter.by_approver():
        return letter.is_reading(MailState.HELD, "spoofed", case=case)
    if letter.borrows_name():
        return letter.is_reading(MailState.HELD, "borrowed_name", case=case)
    return None


def answer(letter: Letter) -> Reading | None:
    """8. An answer to our mail, by its key: a comment, if the sender takes part in that case;
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


def answers_digest(letter: Letter) -> Reading | None:
    """It answers a digest, which tells of several cases: somebody at the firm says which one it
    is for. An answer to one that tells of a single case comes by that case's own address."""
    found = replies.find_digest_key(letter.answered_ids())
    if found is None:
        return None
    told = Case.objects.filter(notices__digest=found).distinct()[:2]
    case = told[0] if len(told) == 1 else None
    return letter.is_reading(MailState.HELD, "digest", case=case)


def passed_on(letter: Letter) -> Reading | None:
    """9. One of the firm passes on somebody else's mail: proposed to be opened for that person
    (mail rule 18). What a customer's person passes on is their own report."""
    return hold_forward(letter, _known_case(letter)) if letter.by_firm else None


def proposed(letter: Letter) -> Reading | None:
    """10. It answers a mail that we know, or names a case in its subject: anybody can write that,
    so it is only proposed to somebody at the firm (mail rule 6)."""
    case = _known_case(letter)
    return letter.is_reading(MailState.HELD, "proposed", case=case) if case is not None else None


def flood(letter: Letter) -> Reading | None:
    """11. Somebody who belongs to no customer opens cases faster than people do: the rest waits
    for somebody at the firm."""
    person = letter.person
    if person is None or person.active_memberships():
        return None
    since = letter.raw.arrived_at - PACE
    lately = Case.objects.filter(reporter=person, opened_at__gt=since, opened_at__lte=letter.now)
    if lately.count() < MOST_CASES:
        return None
    return letter.is_reading(MailState.HELD, "loop")


STEPS: tuple[Step, ...] = (
    own_loop,
    second_copy,
    returned_digest,
    bounce,
    automatic,
    directed,
    unclear,
    unproven,
    answer,
    answers_digest,
    passed_on,
    proposed,
    flood,
)


def _known_case(letter: Letter) -> Case | None:
    """The case of a mail that this one answers, else the one that its subject names."""
    known = [other for other in letter.known_mails(*letter.answered_ids()) if other.case_id]
    return _original(known[-1].case) if known else _case_of_tag(letter.parsed["subject"])


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
