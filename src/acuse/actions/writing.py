"""Small things that several acts write in the same way: messages, files, decisions, objections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..journal.writer import Writing
from ..models import (
    Attachment,
    Audience,
    Blob,
    Case,
    Claim,
    Decision,
    DecisionKind,
    Estimate,
    Membership,
    Message,
    MessageKind,
    Objection,
    Outcome,
    Person,
    RawMail,
    Statement,
    Verdict,
    Version,
    sql,
)
from ..models.roles import owners_of
from ..policy.files import File


def require_text(
    writing: Writing, text: str, field: str = "text", code: str = "text_required"
) -> str:
    """The text without surrounding space; refused when there is none."""
    if not text.strip():
        writing.refuse(code, field)
    return text.strip()


def write_message(
    writing: Writing,
    kind: MessageKind,
    text: str,
    *,
    audience: Audience = Audience.CUSTOMER,
    files: Sequence[File] = (),
    raw_mail: RawMail | None = None,
    whole_text: str = "",
    html: str = "",
    author: Person | None = None,
) -> Message:
    """Keep what somebody wrote on the case, with its files."""
    message = Message(
        case=writing.case,
        kind=kind,
        audience=audience,
        author=author or writing.person,
        at=writing.at,
        channel=writing.occasion.by.channel,
        text=text,
        whole_text=whole_text,
        html=html,
        raw_mail=raw_mail,
    )
    sql.insert(message)
    keep_files(writing, files, audience=audience, message=message)
    return message


def keep_files(
    writing: Writing,
    files: Sequence[File],
    *,
    audience: Audience = Audience.CUSTOMER,
    message: Message | None = None,
    version: Version | None = None,
    claim: Claim | None = None,
) -> list[str]:
    """Attach stored files to the case; returns their hashes in order."""
    for file in files:
        blob, _ = Blob.objects.get_or_create(sha256=file.sha256, defaults={"size": file.size})
        Attachment.objects.create(
            case=writing.case,
            message=message,
            version=version,
            claim=claim,
            blob=blob,
            filename=file.filename[:255],
            content_type=file.content_type[:100],
            content_id=file.content_id[:255],
            audience=audience,
            at=writing.at,
        )
    return [file.sha256 for file in files]


def decide(
    writing: Writing,
    kind: DecisionKind,
    verdict: Verdict,
    *,
    text: str = "",
    version: Version | None = None,
    estimate: Estimate | None = None,
    statement: Statement | None = None,
) -> Decision:
    """Write one decision of the customer's; silence has no person."""
    if version is not None:
        version.outcome = _OUTCOMES[verdict]
        version.save(update_fields=["outcome"])
    return Decision.objects.create(
        case=writing.case,
        kind=kind,
        verdict=verdict,
        text=text,
        version=version,
        estimate=estimate,
        statement=statement,
        person=writing.person,
        at=writing.at,
        channel=writing.occasion.by.channel,
    )


_OUTCOMES = {
    Verdict.ACCEPTED: Outcome.ACCEPTED,
    Verdict.TACIT: Outcome.TACIT,
    Verdict.REJECTED: Outcome.REJECTED,
}


def write_objections(
    writing: Writing, decision: Decision, version: Version, objections: Sequence[tuple[str, str]]
) -> list[Objection]:
    """Keep the objections, each with what it is about and its grounds (P25)."""
    if not objections or not all(what.strip() and why.strip() for what, why in objections):
        writing.refuse("objections_required", "objections")
    return [
        Objection.objects.create(
            case=writing.case,
            decision=decision,
            version=version,
            text=what.strip(),
            grounds=why.strip(),
        )
        for what, why in objections
    ]


def require_bound(writing: Writing) -> None:
    """No decision and no term until the case belongs to a customer (life.md)."""
    if writing.case.organisation_id is None:
        writing.refuse("not_bound")


def recipients(case: Case, at: datetime) -> list[Person]:
    """The customer's people to whom a delivery is sent: reporter and followers, or without any
    the service owner. Whoever does not belong to the customer then decides nothing for it, and
    what reaches them proves nothing."""
    watching = Person.objects.filter(watching__case=case, watching__until__isnull=True)
    people = {person.pk: person for person in watching if not person.is_firm}
    if case.reporter is not None and not case.reporter.is_firm:
        people.setdefault(case.reporter.pk, case.reporter)
    members = set(
        Membership.objects.in_force(at)
        .filter(organisation=case.organisation_id, person__in=people)
        .values_list("person", flat=True)
    )
    return [people[pk] for pk in people if pk in members] or owners_of(case, at)
