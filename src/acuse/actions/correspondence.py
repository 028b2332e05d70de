"""Mail that somebody at the firm has to judge: what was held, and whom it was copied to (P16)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from ..journal.writer import Writing, act
from ..models import (
    Audience,
    Case,
    CopiedAddress,
    Membership,
    Message,
    MessageKind,
    Person,
    RawMail,
    Watcher,
)
from ..models.roles import who_left
from ..policy.authors import Channel
from ..policy.files import File
from ..policy.kinds import Payload
from ..policy.stages import Role
from . import administration, windows
from .conversation import comes_late
from .writing import keep_files, require_bound

MOST_COPIED = 50  # unknown people of one case


@act("place_mail")
def place_mail(
    w: Writing,
    *,
    raw_mail: RawMail,
    author: Person | None,
    text: str,
    files: Sequence[File] = (),
    whole_text: str = "",
    html: str = "",
) -> Payload:
    """The firm puts a held mail on the case and answers for it: the words are its sender's, from
    their arrival on, and hold a term that ran then (P16, P24). Whoever is not known to belong to
    the firm is taken for the customer: a word more on hold costs less than one overheard."""
    at = max(raw_mail.arrived_at, w.case.opened_at)
    customer = author is None or not author.is_firm
    message = Message.objects.create(
        case=w.case,
        kind=MessageKind.COMMENT,
        audience=Audience.CUSTOMER,
        author=author,
        at=at,
        channel=Channel.MAIL,
        text=text.strip(),
        whole_text=whole_text,
        html=html,
        raw_mail=raw_mail,
    )
    keep_files(w, files, message=message)
    holds = windows.hold_open_windows(w.case, message) if customer else []
    if customer and not holds and comes_late(w.case, at):
        message.late = True
        message.save(update_fields=["late"])
    return {
        "raw_mail": raw_mail.pk,
        "message": message.pk,
        "person": author.pk if author is not None else None,
        "side": "customer" if customer else "firm",
        "holds": holds,
        "text_hash": message.hash_of(),
        "why_hash": _hash(raw_mail.settled_why),
    }


@act("settle_mail")
def settle_mail(w: Writing, *, raw_mail: RawMail, outcome: str, why: str) -> Payload:
    """The firm says what a held mail is that seemed to concern this case, or opened it (P11)."""
    if outcome not in OUTCOMES:
        w.refuse("reason_unknown", "outcome", value=outcome)
    return {"raw_mail": raw_mail.pk, "outcome": outcome, "why_hash": _hash(why)}


OUTCOMES = ("new_case", "forward", "dismissed")


def _hash(reason: str) -> str | None:
    return hashlib.sha256(reason.encode()).hexdigest() if reason else None


def note_copied(
    case: Case, raw_mail: RawMail, people: Iterable[tuple[str, str]], at: datetime
) -> None:
    """Note unknown people (address, name) whom a mail was copied to; they see nothing (rule 19)."""
    room = MOST_COPIED - case.copied.count()
    for email, name in list(people)[: max(room, 0)]:
        if not case.copied.filter(email__lower=email.lower()).exists():
            CopiedAddress.objects.create(
                case=case, raw_mail=raw_mail, email=email.lower(), name=name[:200], at=at
            )


@act("admit_copied")
def admit_copied(w: Writing, *, copied: CopiedAddress) -> Payload:
    """The customer's single point of contact, or a manager, lets somebody take part to whom a
    mail was copied: from now on a user of that customer, who follows the case (P04, P08).

    Nobody follows a case without seeing it, and whoever sees it is a user; so this is not every
    agent's to give. Who left the customer is not let in again by a copy of a mail."""
    require_bound(w)
    customer = w.case.organisation
    assert customer is not None  # bound
    row = _unsettled(w, copied)
    person = administration.add_person(row.email, row.name, language=w.case.language)
    mine = person.organisation_ids()
    if person.is_firm or not person.is_active or who_left(w.case, [person], w.at):
        w.refuse("not_a_member", "copied")
    if mine and customer.pk not in mine:
        w.refuse("other_customer", "copied")
    if not mine:
        Membership.objects.create(person=person, organisation=customer, role=Role.USER, since=w.at)
    if not w.case.watchers.filter(person=person, until__isnull=True).exists():
        Watcher.objects.create(case=w.case, person=person, since=w.at)
    _settle(w, row, accepted=True)
    return {"copied": row.pk, "person": person.pk}


@act("dismiss_copied")
def dismiss_copied(w: Writing, *, copied: CopiedAddress) -> Payload:
    """The firm leaves somebody out to whom a mail was copied (P04)."""
    row = _unsettled(w, copied)
    _settle(w, row, accepted=False)
    return {"copied": row.pk}


def _unsettled(w: Writing, copied: CopiedAddress) -> CopiedAddress:
    row = CopiedAddress.objects.get(pk=copied.pk, case=w.case)
    if row.settled_at is not None:
        w.refuse("already_answered")
    return row


def _settle(w: Writing, row: CopiedAddress, *, accepted: bool) -> None:
    row.settled_at, row.settled_by, row.accepted = w.at, w.by, accepted
    row.save(update_fields=["settled_at", "settled_by", "accepted"])
