"""Where a case belongs and who works on it: binding, assignment, escalation, links (P03, P15)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ..journal.writer import Writing, act, load
from ..models import (
    Attachment,
    Audience,
    Case,
    CaseLink,
    Delegation,
    Level,
    LinkKind,
    Message,
    MessageKind,
    Organisation,
    Person,
    Queue,
    Watcher,
)
from ..policy import chain
from ..policy.authors import Occasion
from ..policy.files import File
from ..policy.kinds import Payload
from ..policy.stages import Role, Stage
from . import billing, binding, life, windows
from .writing import require_text, write_message


@act("bind_customer")
def bind_customer(w: Writing, *, organisation: Organisation) -> Payload:
    """Support binds an unknown sender's case to a customer; from then on its contract decides
    cover and times (P09, P22)."""
    if w.case.organisation_id is not None:
        w.refuse("other_customer", "organisation")
    life.require_member(w, w.case.reporter, organisation)
    binding.bind(w.case, organisation)
    billing.judge_again(w.case)
    return {
        "organisation": organisation.pk,
        "contract": w.case.contract_id,
        "policy": w.case.policy_id,
        "priority": w.case.priority,
        "conditions": hashlib.sha256(chain.canonical(w.case.coverage)).hexdigest(),
    }


@act("confirm_report")
def confirm_report(w: Writing) -> Payload:
    """A user confirms a case that the firm or a monitor opened; with that, diagnosis and
    meetings are payable (P18)."""
    if w.case.confirmed_at is not None or w.case.opened_by == "user":
        w.refuse("confirmed")
    w.case.confirmed_at = w.at
    billing.judge_again(w.case)
    return {}


@act("assign")
def assign(
    w: Writing, *, person: Person | None = None, queue: Queue | None = None, level: str = ""
) -> Payload:
    """Support gives the case to a person or a queue of the firm (P03, P14)."""
    if person is not None and not person.is_firm:
        w.refuse("not_a_member", "person")
    w.case.assignee = person
    w.case.queue = queue or w.case.queue
    w.case.level = _level(w, level)
    return {
        "person": w.case.assignee_id,
        "queue": w.case.queue_id,
        "level": w.case.level or None,
    }


def _level(w: Writing, level: str) -> str:
    if level and level not in set(Level):
        w.refuse("reason_unknown", "level", value=level)
    return level or w.case.level


@act("escalate")
def escalate(
    w: Writing, *, direction: str, text: str, level: str = "", person: Person | None = None
) -> Payload:
    """The firm escalates: functional, to more knowledge; hierarchical, to who answers for it.
    History and clock go on (P03, P05)."""
    if direction not in DIRECTIONS:
        w.refuse("reason_unknown", "direction", value=direction)
    if person is not None and not person.is_firm:
        w.refuse("not_a_member", "person")
    words = require_text(w, text, code="reason_required")
    wanted = _level(w, level)
    message = write_message(w, MessageKind.INTERNAL_NOTE, words, audience=Audience.FIRM)
    if direction == "functional":
        w.case.assignee, w.case.level = person, wanted
    elif person is not None:
        w.told.append(person)
    return {
        "direction": direction,
        "level": level or None,
        "person": person.pk if person is not None else None,
        "text_hash": message.hash_of(),
    }


DIRECTIONS = ("functional", "hierarchical")


@act("split")
def split(
    w: Writing,
    *,
    message: Message,
    subject: str,
    text: str,
    attachments: Sequence[Attachment] = (),
) -> Payload:
    """Support makes another case of a second problem in one message, for the same reporter, with
    those of its files that belong to it. Of what the firm alone reads no case is made: its
    customer would read it (P15)."""
    source = Message.objects.get(pk=message.pk, case=w.case, audience=Audience.CUSTOMER)
    words = require_text(w, text, code="nothing_marked")
    along = source.attachments.filter(
        pk__in=[file.pk for file in attachments], audience=Audience.CUSTOMER
    )
    receipt = life.open(
        Occasion(None, w.occasion.by, w.at),
        subject=subject,
        text=words,
        files=[_as_file(file) for file in along.select_related("blob").order_by("pk")],
        reporter=w.case.reporter,
        organisation=w.case.organisation,
        mailbox=w.case.mailbox,
        origin=w.case,
        raw_mail=source.raw_mail,
    )
    _inherit_report(w.case, receipt.case)
    link(w, receipt.case, LinkKind.SPLIT)
    return {"case": receipt.case_id, "message": source.pk}


def _as_file(row: Attachment) -> File:
    return File(row.blob_id, row.blob.size, row.filename, row.content_type, row.content_id)


def _inherit_report(source: Case, new: Case) -> None:
    """A case split from a customer's own report was reported by that customer (P18)."""
    Case.objects.filter(pk=new.pk).update(opened_by=source.opened_by)


@act("merge_duplicate", also="original")
def merge_duplicate(w: Writing, *, original: Case) -> Payload:
    """Support cancels a case as the duplicate of an earlier one of the same customer; who
    followed it follows the original, statistics leave it out, and it can be undone (P15)."""
    original = _first_of(original)
    if original.pk == w.case.pk:
        w.refuse("itself", "original")
    unbound = w.case.organisation_id is None and original.reporter_id != w.case.reporter_id
    if unbound or original.organisation_id != w.case.organisation_id:
        w.refuse("other_customer", "original")
    followers = {p.person_id for p in w.case.watchers.filter(until__isnull=True)}
    if w.case.reporter_id is not None:
        followers.add(w.case.reporter_id)
    following = set(original.watchers.filter(until__isnull=True).values_list("person", flat=True))
    for person_id in followers - following - {original.reporter_id}:
        Watcher.objects.create(case=original, person_id=person_id, since=w.at)
    link(w, original, LinkKind.DUPLICATE)
    windows.end_side_rows(w.case, w.at)
    w.case.stage_before_cancel, w.case.duplicate_of = w.case.stage, original
    billing.judge_again(w.case)
    w.stage = Stage.CANCELLED
    return {"original": original.pk}


def _first_of(case: Case) -> Case:
    """The case that all these are duplicates of, as it stands now that it is locked: it may have
    become a duplicate itself since the caller read it."""
    first = load(case.pk)
    while first.duplicate_of_id is not None:
        first = load(first.duplicate_of_id)
    return first


@act("relate", also="other")
def relate(w: Writing, *, other: Case, kind: LinkKind = LinkKind.RELATED) -> Payload:
    """The firm links two cases of one customer; across customers they hang on a parent, of
    which no customer knows (actions/family.py) (P15)."""
    if other.pk == w.case.pk:
        w.refuse("itself", "other")
    if kind != LinkKind.RELATED:
        w.refuse("reason_unknown", "kind", value=kind)
    if other.organisation_id != w.case.organisation_id:
        w.refuse("other_customer", "other")
    link(w, other, kind)
    return {"case": other.pk, "relation": kind}


def link(w: Writing, other: Case, kind: LinkKind) -> None:
    CaseLink.objects.get_or_create(
        case=w.case, other=other, kind=kind, undone_at=None, defaults={"at": w.at}
    )


@act("delegate_decision")
def delegate_decision(w: Writing, *, person: Person, decision: str) -> Payload:
    """Somebody passes a decision on to a colleague of their own side, who then decides in their
    place, by name (P08, P17)."""
    if decision not in DELEGABLE:
        w.refuse("reason_unknown", "decision", value=decision)
    role = DELEGABLE[decision][0] if w.roles & {Role.USER} else DELEGABLE[decision][1]
    if role is None or role not in w.roles:
        w.refuse("not_your_role")
    if not _same_side(w, person):
        w.refuse("same_side", "person")
    w.case.delegations.create(by=w.by, to=person, decision=decision, role=role, at=w.at)
    w.told.append(person)
    return {"person": person.pk, "decision": decision}


@act("take_decision_back")
def take_decision_back(w: Writing, *, delegation: Delegation) -> Payload:
    """Whoever passed a decision on takes it back, before the colleague has decided (P08, P17)."""
    found = w.case.delegations.filter(pk=delegation.pk, by=w.by, ended_at__isnull=True).first()
    if found is None:
        w.refuse("not_passed_on", "delegation")
    found.ended_at = w.at
    found.save(update_fields=["ended_at"])
    w.told.append(found.to)
    return {"person": found.to_id, "decision": found.decision}


# For each decision: the customer's role that is passed on, and the firm's.
DELEGABLE: dict[str, tuple[Role, Role | None]] = {
    "scope": (Role.OWNER, Role.SPOC),
    "proposal": (Role.USER, None),
    "authorization": (Role.USER, None),
    "result": (Role.USER, None),
    "time": (Role.USER, None),
    "billing": (Role.USER, None),
    "closure": (Role.USER, None),
}


def _same_side(w: Writing, person: Person) -> bool:
    if w.by.is_firm:
        return person.is_firm
    return not person.is_firm and w.case.organisation_id in person.organisation_ids()
