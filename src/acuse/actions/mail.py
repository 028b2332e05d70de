"""Raw mail: kept before anything else is done with it, and how far it has come (P11, P16).

The row is the truth and the job only a hint: a lost job is found again by a sweep, a repeated
one finds the mail settled and does nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from procrastinate.contrib.django import app

from ..models import (
    Authentication,
    Case,
    CaughtMail,
    Mailbox,
    MailState,
    Organisation,
    Person,
    RawMail,
    sql,
)
from ..models.people import find_person
from ..models.roles import roles_on
from ..policy.authors import Channel, Occasion, person
from ..policy.fields import N_, InvalidField
from ..policy.refusals import Refused
from ..policy.stages import ACTS, check
from .correspondence import settle_mail
from .permission import require_allowed

PROCESS = "process_mail"
MOST_TRIES = 3
PAUSE = 30  # seconds before the second try, doubling
FORWARD = "forward"
# What somebody at the desk decided about a held mail.
TO_CASE, TO_NEW_CASE, TO_FORWARD = "to_case", "to_new_case", "to_forward"
NO_ADDRESS = N_("%(email)s is not a mail address")
ONE_OF_US = N_("%(email)s belongs to somebody of the firm")


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
    proposal: dict[str, object] = field(default_factory=dict)


def keep(
    content: bytes,
    mailbox: Mailbox,
    *,
    arrived_at: datetime,
    envelope_from: str = "",
    envelope_to: Iterable[str] = (),
    uid: tuple[int, int] | None = None,
    whole_size: int | None = None,
) -> RawMail:
    """Keep a mail byte for byte, with the job that will read it. The same bytes to the same
    mailbox are one mail, however often they are handed over.

    uid: UIDVALIDITY and UID where it was polled; whole_size: bytes, where `content` is only the
    head of a mail that is too large."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        with transaction.atomic():
            raw = RawMail(
                mailbox=mailbox,
                sha256=sha256,
                content=content,
                size=len(content) if whole_size is None else whole_size,
                complete=whole_size is None,
                arrived_at=arrived_at,
                envelope_from=envelope_from[:320],
                envelope_to=list(envelope_to),
                uid_validity=uid[0] if uid is not None else None,
                uid=uid[1] if uid is not None else None,
            )
            sql.insert(raw)
            _enqueue(raw)
    except IntegrityError:  # it is kept already
        raw = RawMail.objects.get(mailbox=mailbox, sha256=sha256)
    return raw


def _enqueue(raw: RawMail, seconds: int = 0) -> None:
    app.configure_task(PROCESS, queue="mail", schedule_in={"seconds": seconds}).defer(raw_id=raw.pk)


_READ = (
    "case",
    "person",
    "message_id",
    "sender",
    "subject",
    "proposal",
    "authentication",
    "authentication_detail",
)


def settle(raw: RawMail, reading: Reading) -> None:
    """Write what a mail turned out to be."""
    raw.state, raw.reason, raw.detail = reading.state, reading.reason[:64], reading.detail
    raw.case, raw.person = reading.case, reading.person
    raw.message_id, raw.sender = reading.message_id[:998], reading.sender[:320]
    raw.subject = reading.subject
    raw.proposal = reading.proposal or raw.proposal
    sql.update(raw, *_READ, "state", "reason", "detail")


@transaction.atomic
def note_failure(raw_id: int, error: str) -> MailState:
    """Reading it raised: it is tried again later, and after three tries set aside, visible.
    Returns the state to which it has come."""
    raw = RawMail.objects.select_for_update().get(pk=raw_id)
    raw.tries += 1
    raw.detail = error[-4000:]
    if raw.tries >= MOST_TRIES:
        raw.state, raw.reason = MailState.FAILED, "error"
    else:
        _enqueue(raw, PAUSE * 2 ** (raw.tries - 1))
    raw.save(update_fields=["tries", "detail", "state", "reason"])
    return MailState(raw.state)


def replay(raw: RawMail) -> None:
    """Read a held or failed mail once more; a domain that could not be asked about it is asked
    again. Raises ValueError for any other."""
    with transaction.atomic():
        row = _unsettled(raw)
        if row.authentication == Authentication.UNKNOWN:
            row.authentication = ""
        row.reason = ""
        _take_up(row)


def put_on_case(raw: RawMail, case: Case, *, by: Person, at: datetime, why: str = "") -> None:
    """Somebody at the firm says to which case a held mail belongs, and answers for it. Raises
    ValueError for a mail that is neither held nor failed, Refused where it is not theirs."""
    require_allowed("place_mail", Occasion(case.pk, person(by.pk, Channel.DESK), at))
    _direct(raw, TO_CASE, by, at, why, case=case)


def put_on_new_case(raw: RawMail, *, by: Person, at: datetime, why: str = "") -> None:
    """Somebody at the firm says that a held mail opens a case of its own. Raises as above."""
    _require_agent(by, at)
    _direct(raw, TO_NEW_CASE, by, at, why)


def open_forwarded(
    raw: RawMail,
    *,
    by: Person,
    at: datetime,
    email: str,
    name: str = "",
    organisation: Organisation | None = None,
    why: str = "",
) -> None:
    """Somebody at the firm confirms whose mail a colleague passed on, and for which customer: it
    opens that person's case (mail rule 18). Raises as above, InvalidField for the address, and
    ValueError for a mail that is not a forward."""
    _require_agent(by, at)
    reporter = find_person(_require_address(email))
    if reporter is not None and reporter.is_firm:
        raise InvalidField("email", ONE_OF_US, email=email)
    mine = reporter.organisation_ids() if reporter is not None else []
    if organisation is not None and mine and organisation.pk not in mine:
        raise Refused("other_customer", "open", field="organisation")
    if raw.reason != FORWARD:
        raise ValueError(f"mail {raw.pk} is no forward that waits")
    chosen = {
        "email": email.strip().lower(),
        "name": name,
        "organisation": organisation.pk if organisation is not None else None,
    }
    _direct(raw, TO_FORWARD, by, at, why, proposal={**raw.proposal, **chosen})


def _require_address(email: str) -> str:
    try:
        validate_email(email.strip())
    except ValidationError as wrong:
        raise InvalidField("email", NO_ADDRESS, email=email) from wrong
    return email.strip()


def dismiss(raw: RawMail, *, by: Person, at: datetime, why: str) -> None:
    """Somebody at the firm says that a held or failed mail is of no concern, and why; it is kept,
    and the case that it named notes it. Raises as above."""
    _require_agent(by, at)
    if not why.strip():
        raise Refused("reason_required", "settle_mail", field="why")
    occasion = Occasion(raw.case_id, person(by.pk, Channel.DESK), at)
    if raw.case_id is not None:
        require_allowed("settle_mail", occasion)
    with transaction.atomic():
        row = _unsettled(raw)
        row.state, row.reason = MailState.IGNORED, "dismissed"
        row.settled_by, row.settled_at, row.settled_why = by, at, why.strip()
        row.save(update_fields=["state", "reason", *_SETTLED])
        if occasion.case_id is not None:
            settle_mail(occasion, raw_mail=row, outcome="dismissed", why=why.strip())


def _require_agent(by: Person, at: datetime) -> None:
    check(ACTS["settle_mail"], None, frozenset(roles_on(None, by, at)))


_SETTLED = ("settled_by", "settled_at", "settled_why")


@transaction.atomic
def _direct(
    raw: RawMail,
    reason: str,
    by: Person,
    at: datetime,
    why: str,
    *,
    case: Case | None = None,
    proposal: dict[str, object] | None = None,
) -> None:
    """Note what somebody decided; the worker does it. Nobody answers for a mail that names one of
    the firm and is not proven to be theirs: who works here has other doors."""
    row = _unsettled(raw)
    if row.person is not None and row.person.is_firm and row.authentication != Authentication.PASS:
        raise Refused("sender_unproven", "place_mail")
    row.case, row.reason = case, reason
    row.proposal = row.proposal if proposal is None else proposal
    row.settled_by, row.settled_at, row.settled_why = by, at, why.strip()
    _take_up(row)


def _take_up(row: RawMail) -> None:
    row.state, row.tries = MailState.RECEIVED, 0
    row.save(
        update_fields=["state", "case", "reason", "tries", "authentication", "proposal", *_SETTLED]
    )
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
