"""A case that reached the firm by telephone or in another way that does not count (P16).

Somebody of the firm writes it down as a case, and the customer gets its confirmation by mail like
any other. It says by whom and from what it was recorded and asks to confirm it: before that
nothing of it is payable (P18, act `confirm_report`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction

from ..journal.writer import Writing, act
from ..models import (
    Environment,
    LedgerLine,
    Module,
    OpenedBy,
    Organisation,
    Person,
)
from ..models.people import find_person
from ..models.roles import find_author
from ..policy.authors import Occasion
from ..policy.files import File
from ..policy.kinds import Payload
from ..policy.priority import Impact, Urgency
from ..policy.refusals import Refused
from ..policy.stages import ACTS, Role
from . import administration, life
from .conversation import MEDIA

LONGEST_AGO = timedelta(days=366)  # a call of longer ago is a mistyped year


@transaction.atomic
def open_from_call(
    occasion: Occasion,
    *,
    medium: str,
    called_at: datetime,
    subject: str,
    text: str,
    organisation: Organisation | None = None,
    reporter: Person | None = None,
    email: str = "",
    name: str = "",
    environment: Environment | None = None,
    module: Module | None = None,
    impact: Impact | None = None,
    urgency: Urgency | None = None,
    files: Sequence[File] = (),
) -> LedgerLine:
    """Open a case for somebody who called, at the moment it is written down; the receipt of the
    opening. Who called is somebody known (`reporter`) or a mail address: the customer's single
    point of contact and managers let somebody new in as its user, everybody else leaves the
    customer open, as for a mail of an unknown sender. Raises Refused, after which nothing stays.
    """
    _check(medium, called_at, occasion.at)
    caller = reporter or _meet(occasion, email, name, organisation)
    line = life.open(
        Occasion(None, occasion.by, occasion.at, occasion.key),
        subject=subject,
        text=text,
        reporter=caller,
        organisation=organisation,
        environment=environment,
        module=module,
        impact=impact,
        urgency=urgency,
        files=files,
    )
    key = f"{occasion.key[:90]}/call" if occasion.key else ""
    record_call(
        Occasion(line.case_id, occasion.by, occasion.at, key), medium=medium, called_at=called_at
    )
    return line


@act("record_call")
def record_call(w: Writing, *, medium: str, called_at: datetime) -> Payload:
    """Somebody of the firm says by which means and when the case that they have just opened had
    been reported to them (P03, P16)."""
    if w.case.lines != 1 or w.case.opened_by != OpenedBy.SUPPORT:
        w.refuse("not_just_opened")
    _check(medium, called_at, w.at)
    return {"medium": medium, "called_at": called_at.astimezone(UTC)}


def _refuse(code: str, field: str, **params: object) -> Refused:
    return Refused(code, "record_call", None, ACTS["record_call"].who, field, **params)


def _check(medium: str, called_at: datetime, at: datetime) -> None:
    if medium not in MEDIA:
        raise _refuse("reason_unknown", "medium", value=medium)
    if called_at > at:
        raise _refuse("contact_in_future", "called_at")
    if called_at < at - LONGEST_AGO:
        raise _refuse("contact_too_long_ago", "called_at")


def _meet(occasion: Occasion, email: str, name: str, customer: Organisation | None) -> Person:
    """Somebody by their address. Whoever belongs to nobody yet becomes a user of the customer,
    where it is the author's to say so."""
    if not email.strip():
        raise _refuse("caller_required", "reporter")
    known = find_person(email)
    if known is not None and (known.is_firm or not known.is_active):
        raise _refuse("not_a_member", "email")
    language = customer.language if customer is not None else "es"
    person = known or administration.add_person(email, name, language=language)
    if customer is None or person.organisation_ids():
        return person
    author = find_author(occasion.by)
    assert author is not None  # a machine takes no calls
    if customer.spoc_id != author.pk and not _manages(author, occasion.at):
        raise _refuse("caller_unknown", "email")
    administration.give_role(person, customer, Role.USER, since=occasion.at, by=author)
    return Person.objects.get(pk=person.pk)


def _manages(author: Person, at: datetime) -> bool:
    return any(held.role == Role.MANAGER for held in author.memberships_at(at))
