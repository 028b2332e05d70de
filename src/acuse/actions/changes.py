"""Change control: what goes beyond the agreement is a new case with its own estimate (P29)."""

from __future__ import annotations

from ..journal.writer import Writing, act
from ..models import Case, CaseLink, Claim, LinkKind, Message, Objection
from ..policy.authors import Occasion
from ..policy.kinds import Payload
from . import life
from .writing import require_text


@act("request_change")
def request_change(
    w: Writing,
    *,
    subject: str,
    text: str,
    claim: Claim | None = None,
    objection: Objection | None = None,
    message: Message | None = None,
) -> Payload:
    """Somebody asks for more than was agreed; it is handled as a new requirement, linked (P29)."""
    title = require_text(w, subject, "subject", "subject_required")
    change = open_change(w, title, require_text(w, text))
    sources = {"claim": claim, "objection": objection, "message": message}
    given = next(((name, row) for name, row in sources.items() if row is not None), ("case", None))
    name, row = given
    if row is not None and row.case_id != w.case.pk:
        w.refuse("other_customer", name)
    return {
        "case": change.pk,
        "source": name,
        "source_id": row.pk if row is not None else None,
    }


def open_change(w: Writing, subject: str, text: str) -> Case:
    """Open the linked case of a change, for the same reporter and customer. A machine's or the
    firm's word does not register it for the customer: P18 asks a user to confirm it."""
    change = life.open(
        Occasion(None, w.occasion.by, w.at),
        subject=subject.splitlines()[0][:250],
        text=text,
        reporter=w.case.reporter,
        organisation=w.case.organisation,
        mailbox=w.case.mailbox,
        environment=w.case.environment,
        module=w.case.module,
        language=w.case.language,
        origin=w.case,
    ).case
    CaseLink.objects.create(case=w.case, other=change, kind=LinkKind.CHANGE, at=w.at)
    return change
