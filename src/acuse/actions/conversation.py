"""What is said on a case: comments, notes, files, questions and answers (P10, P13, P16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from ..journal.writer import Writing, act
from ..models import (
    Addressee,
    Audience,
    Case,
    Membership,
    MessageKind,
    OrganisationKind,
    Outcome,
    Person,
    RawMail,
    Wait,
    Watcher,
)
from ..models.roles import is_customer_side, owners_of
from ..policy.files import File
from ..policy.kinds import Payload
from ..policy.mentions import Named, find_mentions
from ..policy.stages import Role
from . import windows
from .writing import recipients, require_text, write_message


@act("comment")
def comment(
    w: Writing,
    *,
    text: str,
    files: Sequence[File] = (),
    raw_mail: RawMail | None = None,
    whole_text: str = "",
    html: str = "",
) -> Payload:
    """Somebody comments by one of the two channels; a customer's comment inside a term holds its
    clock until it has been classified (P16, P24, P25)."""
    words = text.strip() if raw_mail is not None or files else require_text(w, text)
    message = write_message(
        w,
        MessageKind.COMMENT,
        words,
        files=files,
        raw_mail=raw_mail,
        whole_text=whole_text,
        html=html,
    )
    holds = windows.hold_windows(w, message)
    customer = is_customer_side(w.roles)
    if customer and not holds and comes_late(w.case, w.at):
        message.late = True
        message.save(update_fields=["late"])
    return {
        "message": message.pk,
        "side": "customer" if customer else "firm",
        "holds": holds,
        "text_hash": message.hash_of(),
        "raw_mail": raw_mail.pk if raw_mail is not None else None,
    }


def comes_late(case: Case, at: datetime) -> bool:
    """Whether a customer's word at this moment comes after a term that it might have held."""
    ended = case.windows.filter(tacit=True, annulled=False, until__lte=at)
    return ended.filter(version__outcome__in=[Outcome.PENDING, Outcome.TACIT]).exists()


@act("internal_note")
def internal_note(
    w: Writing, *, text: str, files: Sequence[File] = (), raw_mail: RawMail | None = None
) -> Payload:
    """The firm notes something for itself; no customer ever sees it. Whoever of the firm is
    named by @name is told (P05)."""
    words = require_text(w, text)
    mentioned = _mentioned(w, words, refuse=raw_mail is None)
    message = write_message(
        w,
        MessageKind.INTERNAL_NOTE,
        words,
        audience=Audience.FIRM,
        files=files,
        raw_mail=raw_mail,
    )
    w.told += mentioned
    return {
        "message": message.pk,
        "text_hash": message.hash_of(),
        "mentions": [person.pk for person in mentioned],
    }


def _mentioned(w: Writing, text: str, *, refuse: bool) -> list[Person]:
    """The firm's people whom a note names. A customer is never told of a note: naming one is
    refused, as is a name that fits several; but a mail that has come is kept as it is."""
    if "@" not in text:
        return []
    members = Membership.objects.in_force(w.at).filter(
        Q(organisation__kind=OrganisationKind.FIRM) | Q(organisation=w.case.organisation_id),
        person__is_active=True,
    )
    people = {row.person_id: row.person for row in members.select_related("person")}
    of_firm = members.filter(organisation__kind=OrganisationKind.FIRM)
    firm = set(of_firm.values_list("person", flat=True))
    found = find_mentions(
        text, [Named(pk, each.name, each.email, pk in firm) for pk, each in people.items()]
    )
    if refuse and found.outside:
        w.refuse("mentions_customer", "text", value=f"@{found.outside[0]}")
    if refuse and found.unclear:
        w.refuse("mention_unclear", "text", value=f"@{found.unclear[0]}")
    return [people[pk] for pk in found.people]


@act("attach")
def attach(w: Writing, *, files: Sequence[File]) -> Payload:
    """Somebody attaches files for both sides to see (P16)."""
    if not files:
        w.refuse("text_required", "files")
    message = write_message(w, MessageKind.ATTACHMENT, "", files=files)
    windows.hold_windows(w, message)
    return {"files": [file.sha256 for file in files], "message": message.pk}


@act("log_non_binding_contact")
def log_non_binding_contact(w: Writing, *, medium: str, text: str) -> Payload:
    """Support notes a contact outside the two channels; it binds nobody, and the customer is
    told so (P16)."""
    if medium not in MEDIA:
        w.refuse("reason_unknown", "medium", value=medium)
    message = write_message(w, MessageKind.NON_BINDING, require_text(w, text))
    return {"message": message.pk, "medium": medium, "text_hash": message.hash_of()}


MEDIA = ("phone", "whatsapp", "chat", "visit", "meeting", "other")


@act("ask")
def ask(
    w: Writing,
    *,
    addressee: Addressee,
    text: str,
    person: Person | None = None,
    said: bool = False,
    files: Sequence[File] = (),
) -> Payload:
    """The firm asks somebody for what is missing; its own clock stands still until the answer,
    or until it is withdrawn. `said`: the question, with its files, is a reply to the customer as
    well and stays in the conversation (P10, P13)."""
    if w.case.waits.filter(ended_at__isnull=True).exists():
        w.refuse("wait_open")
    if person is not None and addressee != Addressee.THIRD_PARTY:
        _require_customer(w, person)
    wait = Wait.objects.create(
        case=w.case,
        addressee=addressee,
        person=person,
        asked_by=w.by,
        asked_at=w.at,
        text=require_text(w, text),
    )
    w.told += [person] if person is not None else addressees(w.case, addressee, w.at)
    message = None
    if said:
        message = write_message(w, MessageKind.COMMENT, wait.text, files=files)
        w.told += recipients(w.case, w.at)
    return {
        "wait": wait.pk,
        "message": message.pk if message is not None else None,
        "addressee": addressee,
        "person": person.pk if person is not None else None,
        "text_hash": wait.hash_of(),
    }


def _require_customer(w: Writing, person: Person) -> None:
    if person.pk != w.case.reporter_id and (
        w.case.organisation_id not in person.organisation_ids()
    ):
        w.refuse("not_a_member", "person")


def addressees(case: Case, addressee: Addressee, at: datetime) -> list[Person]:
    """Whom a question goes to: the reporter, the leads of the case's area, or the owner."""
    if addressee == Addressee.OWNER:
        return owners_of(case, at)
    if addressee == Addressee.LEAD:
        leads = Membership.objects.in_force(at).filter(
            organisation=case.organisation_id, role=Role.LEAD
        )
        if case.area_id is not None:
            leads = leads.filter(area=case.area_id)
        return [lead.person for lead in leads.select_related("person")]
    if addressee == Addressee.USER and case.reporter is not None:
        return [case.reporter]
    return []


@act("answer")
def answer(w: Writing, *, wait: Wait, text: str, files: Sequence[File] = ()) -> Payload:
    """The question is answered, by the customer, or by the firm where a third party was asked
    or the question is withdrawn; the firm's clock runs on (P10, P13)."""
    row = Wait.objects.get(pk=wait.pk, case=w.case)
    if row.ended_at is not None:
        w.refuse("wait_closed")
    message = write_message(w, MessageKind.ANSWER, require_text(w, text), files=files)
    windows.hold_windows(w, message)
    row.ended_at, row.answered = w.at, True
    row.save(update_fields=["ended_at", "answered"])
    return {"wait": row.pk, "message": message.pk, "text_hash": message.hash_of()}


@act("watch")
def watch(w: Writing, *, person: Person | None = None, following: bool = True) -> Payload:
    """Somebody follows the case, or no longer does; only people of the two sides can (P04)."""
    who = person or w.by
    if not who.is_firm:
        _require_customer(w, who)
    running = w.case.watchers.filter(person=who, until__isnull=True)
    if not following:
        running.update(until=w.at)
    elif not running.exists():
        Watcher.objects.create(case=w.case, person=who, since=w.at)
    return {"person": who.pk, "following": following}
