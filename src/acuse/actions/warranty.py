"""Warranty: claims, their decision, the fix, the end (P27, P28)."""

from __future__ import annotations

from collections.abc import Sequence

from ..journal.writer import Writing, act
from ..models import WARRANTED, Claim, Exclusion, Outcome, Version, Warranty
from ..policy.files import File
from ..policy.kinds import Payload
from . import changes
from .writing import keep_files, require_text


@act("claim_warranty")
def claim_warranty(w: Writing, *, version: Version, text: str, omitted: str) -> Payload:
    """A user claims that something specified was omitted. A claim in time stays valid however
    long it takes; a late one, or on a kind without warranty, is followed as a change (P27, P29)."""
    version = Version.objects.select_related("deliverable").get(pk=version.pk, case=w.case)
    specified = require_text(w, text)
    missing = require_text(w, omitted, "omitted")
    if version.outcome not in (Outcome.ACCEPTED, Outcome.TACIT):
        w.refuse("not_delivered", "version")
    warranty = version.warranties.filter(annulled_at__isnull=True).first()
    in_time = warranty is not None and w.at < warranty.until
    claim = Claim(
        case=w.case,
        version=version,
        warranty=warranty,
        person=w.by,
        text=specified,
        omitted=missing,
        at=w.at,
        in_time=in_time,
    )
    if not in_time:
        kind_covered = version.deliverable.kind in WARRANTED
        claim.covered, claim.decided_at = False, w.at
        claim.exclusion = Exclusion.LATE if kind_covered else Exclusion.KIND_NOT_COVERED
        claim.change = changes.open_change(w, specified, f"{specified}\n\n{missing}")
    claim.save()
    return {
        "claim": claim.pk,
        "version": version.pk,
        "in_time": in_time,
        "change": claim.change_id,
        "text_hash": claim.hash_of("text", "omitted"),
    }


@act("decide_claim")
def decide_claim(
    w: Writing, *, claim: Claim, covered: bool, text: str, exclusion: Exclusion | None = None
) -> Payload:
    """The firm decides a claim: covered, which is never billed; or excluded for one of the
    reasons of the policy, which opens the change it would be (P27, P28, P29)."""
    row = Claim.objects.get(pk=claim.pk, case=w.case)
    if row.covered is not None:
        w.refuse("claim_decided")
    if not covered and exclusion is None:
        w.refuse("reason_required", "exclusion")
    if exclusion == Exclusion.LATE and row.in_time:
        w.refuse("reason_unknown", "exclusion", value=exclusion)
    row.decision_text = require_text(w, text)
    row.covered, row.exclusion = covered, "" if covered else exclusion or ""
    row.decided_at, row.decided_by = w.at, w.by
    if not covered:
        row.change = changes.open_change(w, row.text, f"{row.text}\n\n{row.omitted}")
    row.save()
    return {
        "claim": row.pk,
        "covered": covered,
        "reason": row.exclusion,
        "change": row.change_id,
        "text_hash": row.hash_of("decision_text"),
    }


@act("deliver_fix")
def deliver_fix(w: Writing, *, claim: Claim, text: str, files: Sequence[File] = ()) -> Payload:
    """The firm delivers what a covered claim asked for; the warranty neither stops nor starts
    anew (P27)."""
    row = Claim.objects.get(pk=claim.pk, case=w.case)
    if not row.covered:
        w.refuse("claim_not_covered")
    if row.fixed_at is not None:
        w.refuse("already_answered")
    row.fix_text, row.fixed_at = require_text(w, text), w.at
    row.save()
    hashes = keep_files(w, files, claim=row)
    return {"claim": row.pk, "files": hashes, "text_hash": row.hash_of("fix_text")}


@act("end_warranty")
def end_warranty(w: Writing, *, warranty: Warranty) -> Payload:
    """The warranty ends with its last day; claims made in time stay valid (P27)."""
    row = Warranty.objects.get(pk=warranty.pk, case=w.case)
    if row.ended_at is not None or row.annulled_at is not None:
        w.refuse("no_warranty")
    if w.at < row.until:
        w.refuse("window_open")
    row.ended_at = w.at
    row.save(update_fields=["ended_at"])
    return {"warranty": row.pk, "last_day": row.last_day}
