"""Raw mail: kept before anything else is done with it, and how far it has come (P11, P16).

The row is the truth and the job only a hint: a lost job is found again by a sweep, a repeated
one finds the mail settled and does nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from procrastinate.contrib.django import app

from ..models import Case, CaughtMail, Mailbox, MailState, Person, RawMail

PROCESS = "process_mail"
MOST_TRIES = 3
PAUSE = 30  # seconds before the second try, doubling
TO_CASE, TO_NEW_CASE = "to_case", "to_new_case"  # what somebody at the desk decided


@dataclass(frozen=True)
class Reading:
    """What a mail turned out to be: the state it comes to and why, with what is worth a column.

    reason: a code; detail: words for the desk (a refusal, an error).
    """

    state: MailState
    reason: str = ""
    detail: str = ""
    case: Case | None = None
    person: Person | None = None
    message_id: str = ""
    subject: str = ""
    sender: str = ""


@transaction.atomic
def keep(
    content: bytes,
    mailbox: Mailbox,
    *,
    arrived_at: datetime,
    envelope_from: str = "",
    envelope_to: Iterable[str] = (),
) -> RawMail:
    """Keep a mail byte for byte, with the job that will read it. The same bytes to the same
    mailbox are one mail, however often they are handed over."""
    raw, new = RawMail.objects.get_or_create(
        mailbox=mailbox,
        sha256=hashlib.sha256(content).hexdigest(),
        defaults={
            "content": content,
            "arrived_at": arrived_at,
            "envelope_from": envelope_from[:320],
            "envelope_to": list(envelope_to),
        },
    )
    if new:
        _enqueue(raw)
    return raw


def _enqueue(raw: RawMail, seconds: int = 0) -> None:
    app.configure_task(PROCESS, queue="mail", schedule_in={"seconds": seconds}).defer(raw_id=raw.pk)


def settle(raw: RawMail, reading: Reading) -> None:
    """Write what a mail turned out to be."""
    raw.state, raw.reason, raw.detail = reading.state, reading.reason[:64], reading.detail
    raw.case, raw.person = reading.case, reading.person
    raw.message_id, raw.sender = reading.message_id[:998], reading.sender[:320]
    raw.subject = reading.subject
    raw.save()


@transaction.atomic
def note_failure(raw_id: int, error: str) -> None:
    """Reading it raised: it is tried again later, and after three tries set aside, visible."""
    raw = RawMail.objects.select_for_update().get(pk=raw_id)
    raw.tries += 1
    raw.detail = error[-4000:]
    if raw.tries >= MOST_TRIES:
        raw.state, raw.reason = MailState.FAILED, "error"
    else:
        _enqueue(raw, PAUSE * 2 ** (raw.tries - 1))
    raw.save(update_fields=["tries", "detail", "state", "reason"])


def replay(raw: RawMail) -> None:
    """Read a held or failed mail once more. Raises ValueError for any other."""
    _take_up(raw, raw.case, "")


def put_on_case(raw: RawMail, case: Case) -> None:
    """Somebody at the firm says to which case a held mail belongs. Raises ValueError."""
    _take_up(raw, case, TO_CASE)


def put_on_new_case(raw: RawMail) -> None:
    """Somebody at the firm says that a held mail opens a case of its own. Raises ValueError."""
    _take_up(raw, None, TO_NEW_CASE)


def dismiss(raw: RawMail, *, why: str = "") -> None:
    """Somebody at the firm says that a held or failed mail is of no concern, and why; it is kept.
    Raises ValueError for any other."""
    with transaction.atomic():
        row = _unsettled(raw)
        row.state, row.reason, row.detail = MailState.IGNORED, "dismissed", why or row.detail
        row.save(update_fields=["state", "reason", "detail"])


@transaction.atomic
def _take_up(raw: RawMail, case: Case | None, reason: str) -> None:
    row = _unsettled(raw)
    row.state, row.case, row.reason, row.tries = MailState.RECEIVED, case, reason, 0
    row.save(update_fields=["state", "case", "reason", "tries"])
    _enqueue(row)


def _unsettled(raw: RawMail) -> RawMail:
    row = RawMail.objects.select_for_update().get(pk=raw.pk)
    if row.state not in (MailState.HELD, MailState.FAILED):
        raise ValueError(f"mail {row.pk} is {row.state}, neither held nor failed")
    if not row.content:
        raise ValueError(f"mail {row.pk} has been erased")
    return row


@transaction.atomic
def catch(
    content: bytes, *, sender: str, recipients: list[str], message_id: str, subject: str
) -> None:
    """Keep a mail that the demo sent, for its page of outgoing mail. A second copy of one
    Message-ID to the same people is dropped, as a mail server that knows its mail would."""
    recipients = sorted(recipients)
    if message_id:
        with connection.cursor() as cursor:  # two copies at once wait for each other
            lock = f"caught/{message_id}"
            cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        if CaughtMail.objects.filter(message_id=message_id, recipients=recipients).exists():
            return
    CaughtMail.objects.create(
        sender=sender[:320],
        recipients=recipients,
        message_id=message_id[:998],
        subject=subject,
        content=content,
    )
