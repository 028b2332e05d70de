"""Policies accepted, the service rated, evidence handed out, personal text erased
(P02, P07, Evidence)."""

from __future__ import annotations

from itertools import chain as each
from typing import Any

from ..journal.writer import Writing, act
from ..models import (
    EstimateLine,
    PolicyAcceptance,
    PolicyVersion,
    Satisfaction,
    ScopeItem,
    SearchEntry,
)
from ..models.base import ErasableText
from ..models.roles import is_customer_side
from ..policy.kinds import Payload


@act("accept_policy")
def accept_policy(w: Writing, *, policy: PolicyVersion) -> Payload:
    """A user accepts the version of the policies that the case is bound to, once (P07)."""
    if policy.pk != w.case.policy_id:
        w.refuse("policy_stale", "policy")
    _, new = PolicyAcceptance.objects.get_or_create(
        person=w.by,
        policy=policy,
        defaults={"at": w.at, "channel": w.occasion.by.channel},
    )
    if not new:
        w.refuse("already_answered", "policy")
    return {"policy": policy.pk, "policy_hash": policy.sha256}


@act("answer_satisfaction")
def answer_satisfaction(w: Writing, *, rating: int, text: str = "") -> Payload:
    """A user says once, after the close, how the service was, from 1 to 5 (P02)."""
    if isinstance(rating, bool) or rating not in range(1, 6):
        w.refuse("rating_range", "rating")
    if w.case.satisfaction.filter(person=w.by).exists():
        w.refuse("already_answered", "rating")
    row = Satisfaction.objects.create(
        case=w.case, person=w.by, rating=rating, text=text.strip(), at=w.at
    )
    return {"rating": rating, "text_hash": row.hash_of() if row.text else None}


@act("build_pack")
def build_pack(w: Writing, *, sha256: str) -> Payload:
    """Somebody takes the case's evidence with them; the pack's hash is noted (Evidence)."""
    return {
        "pack_hash": sha256,
        "audience": "customer" if is_customer_side(w.roles) else "firm",
    }


@act("anonymise")
def anonymise(w: Writing) -> Payload:
    """A manager erases what people wrote on an ended case. The ledger stays whole: it holds only
    salted hashes, and the salts go with the words (P07)."""
    case = w.case
    if case.claims.filter(fixed_at__isnull=True).exclude(covered=False).exists():
        w.refuse("open_claims")
    rows: each[Any] = each(
        case.messages.all(),
        case.waits.all(),
        case.estimates.all(),
        case.versions.all(),
        case.decisions.all(),
        case.objections.all(),
        case.claims.all(),
        case.time.all(),
        case.satisfaction.all(),
    )
    for row in rows:
        assert isinstance(row, ErasableText)
        row.erase(w.at)
    case.raw_mails.update(content=b"", subject="", sender="", envelope_from="", envelope_to=[])
    case.attachments.update(filename="erased")
    case.deliverables.update(title="-")
    ScopeItem.objects.filter(estimate__case=case).update(title="-")
    EstimateLine.objects.filter(estimate__case=case).update(description="-")
    SearchEntry.objects.filter(case=case).delete()
    case.sendings.all().delete()
    case.subject = "-"
    return {"messages": list(case.messages.values_list("pk", flat=True))}
