"""What happens to a delivery beside its acceptance: proof, extension, withdrawal, comments
classified, objections answered, silence annulled (P23-P26)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..journal.writer import Writing, act
from ..models import (
    Audience,
    Decision,
    DecisionKind,
    Dispatch,
    Message,
    MessageKind,
    Objection,
    ObjectionOutcome,
    Outcome,
    Person,
    RawMail,
    StatementState,
    Verdict,
    Version,
    Window,
)
from ..models.roles import holders_of
from ..policy.kinds import Payload
from ..policy.stages import Role, Stage
from . import changes, windows
from .writing import decide, require_text, write_message, write_objections


@act("prove_delivery")
def prove_delivery(w: Writing, *, version: Version, dispatch: Dispatch | None = None) -> Payload:
    """A copy reached the customer: their mail server took it, or somebody of theirs opened it in
    the portal; the first proof starts the term. Where the first one came back, the postman names
    the earliest that stands, and the term starts from it (P23, P24)."""
    version = Version.objects.select_related("deliverable").get(pk=version.pk, case=w.case)
    copy, proof = _proven(w, version, dispatch)
    window = getattr(version, "window", None)
    if version.outcome == Outcome.PENDING:
        window = _start_term(w, version, window)
    return {
        "dispatch": copy.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "proof": proof,
        "last_day": window.last_day if window is not None else None,
        "until": window.until if window is not None else None,
    }


def _proven(w: Writing, version: Version, dispatch: Dispatch | None) -> tuple[Dispatch, str]:
    """The copy that reached them, with its moment, and by which proof."""
    if w.person is not None:
        copy = _own_dispatch(w, version)
        copy.opened_at = copy.opened_at or w.at
        copy.save(update_fields=["opened_at"])
        return copy, "portal"
    if dispatch is not None:
        copy = Dispatch.objects.get(pk=dispatch.pk, version=version)
        copy.accepted_at = copy.accepted_at or w.at
        copy.save(update_fields=["accepted_at"])
        return copy, "server"
    standing = _standing(version)
    if standing is None:
        w.refuse("not_delivered")
    return standing, "portal" if _proof_of(standing) == standing.opened_at else "server"


def _start_term(w: Writing, version: Version, window: Window | None) -> Window | None:
    """Open the term from the first proof that stands, or start the running one again from it
    where that is later than before. Nothing that runs is shortened."""
    runs = window is not None and not window.annulled
    starts_at = max(version.at, _first_proof(version) or w.at)
    if window is not None and runs:
        if window.closed_at is not None or starts_at <= window.starts_at:
            return window
        windows.restart(window, starts_at)
    else:
        window = windows.open_window(w.case, version, starts_at)
    version.delivered_at = starts_at
    version.save(update_fields=["delivered_at"])
    windows.hold_words_said_before_proof(w.case, window)
    w.told += _to_be_told_of_the_term(w, version)
    return window


def _to_be_told_of_the_term(w: Writing, version: Version) -> list[Person]:
    """Nobody, where the term runs as the letter said: proven on the day it was written."""
    calendar = w.case.calendar.calendar
    if calendar.local_day(version.delivered_at or version.at) == calendar.local_day(version.at):
        return []
    return [copy.person for copy in version.dispatches.select_related("person")]


def _own_dispatch(w: Writing, version: Version) -> Dispatch:
    row, _ = Dispatch.objects.get_or_create(
        version=version, person=w.by, defaults={"sent_at": w.at}
    )
    return row


@act("fail_delivery")
def fail_delivery(w: Writing, *, dispatch: Dispatch) -> Payload:
    """A copy bounced. If no other is proven to have arrived, the term is annulled until one is;
    the SPOC is alarmed, and the manager where silence has already counted (P23, P24)."""
    copy = Dispatch.objects.select_related("version").get(pk=dispatch.pk, version__case=w.case)
    copy.bounced_at = copy.bounced_at or w.at
    copy.save(update_fields=["bounced_at"])
    version = copy.version
    failed = version.dispatches.filter(bounced_at__isnull=False, opened_at__isnull=True)
    all_failed = not version.dispatches.exclude(pk__in=failed).exists()
    window = None
    if version.outcome == Outcome.PENDING and _standing(version) is None:
        window = windows.close_window(version, w.at, annulled=True)
        version.delivered_at = None
        version.save(update_fields=["delivered_at"])
    if version.outcome == Outcome.TACIT and rests_on_lost_proof(version):
        w.told += holders_of(Role.MANAGER, w.at)
    return {
        "dispatch": copy.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "all_failed": all_failed,
    }


def _proof_of(copy: Dispatch) -> datetime | None:
    """When a copy is first proven to have arrived: opened, or taken and not come back."""
    taken = copy.accepted_at if copy.bounced_at is None else None
    return min(filter(None, [copy.opened_at, taken]), default=None)


def _standing(version: Version) -> Dispatch | None:
    """The copy that is proven to have arrived first."""
    proven = {copy: moment for copy in version.dispatches.all() if (moment := _proof_of(copy))}
    return min(proven, key=lambda copy: (proven[copy], copy.pk), default=None)


def _first_proof(version: Version) -> datetime | None:
    first = _standing(version)
    return _proof_of(first) if first is not None else None


def rests_on_lost_proof(version: Version) -> bool:
    """Whether the version's term began with a proof that has come back since, on a day before
    any that stands; a silence counted from there was counted from too early (P23, P24)."""
    window = Window.objects.filter(version=version, annulled=False).first()
    if window is None or (window.closed_at is not None and version.outcome != Outcome.TACIT):
        return False
    stands = _first_proof(version)
    local_day = window.calendar.calendar.local_day
    return stands is None or (local_day(max(version.at, stands)) > local_day(window.starts_at))


@act("extend_window")
def extend_window(w: Writing, *, version: Version, days: int) -> Payload:
    """The firm grants the customer more business days before the term has ended (P24)."""
    if isinstance(days, bool) or not 1 <= days <= 60:
        w.refuse("days_positive", "days")
    version = windows.latest_pending(w, version)
    window = windows.require_in_time(w, version)
    if window is None:
        w.refuse("no_open_window")
    window.extra += days
    windows.recompute(window)
    return {
        "window": window.pk,
        "days": days,
        "last_day": window.last_day,
        "until": window.until,
    }


@act("withdraw_delivery")
def withdraw_delivery(w: Writing, *, version: Version, text: str) -> Payload:
    """The firm withdraws a wrong delivery before it has been decided on; the version and its
    term are annulled (P23, P24)."""
    words = require_text(w, text, code="reason_required")
    version = windows.latest_pending(w, version)
    windows.require_in_time(w, version)
    message = write_message(w, MessageKind.COMMENT, words)
    window = windows.close_window(version, w.at, annulled=True)
    version.outcome, version.withdrawn_at = Outcome.WITHDRAWN, w.at
    version.save(update_fields=["outcome", "withdrawn_at"])
    proposal = version.deliverable.proposal
    w.stage = Stage.ESTIMATION if proposal else windows.derived_stage(w.case)
    return {
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "text_hash": message.hash_of(),
    }


@act("classify_comment")
def classify_comment(
    w: Writing,
    *,
    message: Message,
    objection: bool,
    objections: Sequence[tuple[str, str]] = (),
    versions: Sequence[Version] = (),
) -> Payload:
    """Support says whether a comment in a term objects. If not, the remaining days run on, at
    least one; if it does, it is a rejection made when it was written, of these versions, or of
    all whose terms it held (P24, P25). The customer is told and may object again."""
    holds = list(
        message.holds.filter(window__case=w.case, ended_at__isnull=True).select_related(
            "window__version__deliverable"
        )
    )
    if not holds:
        w.refuse("already_answered", "message")
    meant = {version.pk for version in versions} or {hold.window.version_id for hold in holds}
    decisions = []
    for hold in holds:
        rejects = objection and hold.window.version_id in meant
        hold.ended_at, hold.objection = w.at, rejects
        hold.save()
        if rejects:
            decisions.append(_rejected_by_comment(w, hold.window.version, message, objections))
        else:
            windows.recompute(hold.window)
    return {
        "message": message.pk,
        "holds": [hold.pk for hold in holds],
        "objection": objection,
        "decisions": decisions,
        "until": None if decisions else holds[0].window.until,
    }


def _rejected_by_comment(
    w: Writing, version: Version, message: Message, objections: Sequence[tuple[str, str]]
) -> int:
    proposal = version.deliverable.proposal
    kind = DecisionKind.PROPOSAL if proposal else DecisionKind.RESULT
    decision = decide(w, kind, Verdict.REJECTED, version=version, estimate=version.estimate)
    decision.person, decision.at, decision.channel = message.author, message.at, message.channel
    decision.save()
    write_objections(w, decision, version, objections or [(message.text, message.text)])
    windows.close_window(version, w.at)
    w.stage = Stage.ESTIMATION if proposal else windows.derived_stage(w.case)
    return decision.pk


@act("answer_objection")
def answer_objection(
    w: Writing, *, objection: Objection, outcome: ObjectionOutcome, text: str
) -> Payload:
    """The firm answers one objection: corrected in the new version, or out of scope, which is
    followed as a change in a case of its own (P26, P29)."""
    row = Objection.objects.get(pk=objection.pk, case=w.case)
    if row.outcome:
        w.refuse("already_answered", "objection")
    row.answer = require_text(w, text)
    row.outcome, row.answered_at = outcome, w.at
    if outcome == ObjectionOutcome.OUT_OF_SCOPE:
        row.change = changes.open_change(w, row.text, f"{row.text}\n\n{row.grounds}")
    row.save()
    return {
        "objection": row.pk,
        "outcome": outcome,
        "change": row.change_id,
        "text_hash": row.hash_of("answer"),
    }


@act("annul_tacit")
def annul_tacit(
    w: Writing,
    *,
    version: Version,
    message: Message | None = None,
    copy: Dispatch | None = None,
    raw_mail: RawMail | None = None,
    text: str = "",
) -> Payload:
    """A comment in time was found after silence had counted, or the copy that had proven the
    delivery came back: the tacit acceptance is annulled with what followed from it, and the term
    is held again, or starts from a proof that stands (P23, P24, P25). A manager may also annul
    with a reason."""
    decision = version.decisions.filter(
        case=w.case, verdict=Verdict.TACIT, annulled_at__isnull=True
    ).first()
    if decision is None:
        w.refuse("tacit_only")
    window = version.window
    is_timely = False
    if copy is not None:
        _require_unconfirmed(w, version, decision)
    elif message is None:
        message = _managers_reason(w, text)
    else:
        message = Message.objects.select_related("author").get(pk=message.pk, case=w.case)
        is_timely = message.author is not None and not message.author.is_firm
    if is_timely and message and (window.until is None or message.at >= window.until):
        w.refuse("not_in_time")
    decision.annulled_at = w.at
    decision.save(update_fields=["annulled_at"])
    version.outcome = Outcome.PENDING
    version.save(update_fields=["outcome"])
    window.closed_at = None
    window.save(update_fields=["closed_at"])
    if copy is not None:
        _count_from_what_stands(w, version, window)
    elif is_timely and message:
        windows.hold(w.case, window, message)
    else:
        windows.give_a_day_from(window, w.at)
    statement = _undo_consequences(w, version)
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk,
        "raw_mail": raw_mail.pk if raw_mail is not None else None,
        "message": message.pk if message is not None else None,
        "statement": statement,
    }


def _require_unconfirmed(w: Writing, version: Version, decision: Decision) -> None:
    """The proof is gone, and nobody of the customer's has since decided anything that shows that
    they had what was delivered."""
    if not rests_on_lost_proof(version):
        w.refuse("tacit_only")
    later = w.case.decisions.filter(
        person__isnull=False, annulled_at__isnull=True, at__gt=decision.at
    ).select_related("person")
    if any(row.person is not None and not row.person.is_firm for row in later):
        w.refuse("work_started")


def _count_from_what_stands(w: Writing, version: Version, window: Window) -> None:
    """Start the term again from the first proof that stands, with at least a whole day from now;
    where none stands, it is annulled until there is one."""
    stands = _first_proof(version)
    version.delivered_at = max(version.at, stands) if stands is not None else None
    version.save(update_fields=["delivered_at"])
    if version.delivered_at is None:
        windows.close_window(version, w.at, annulled=True)
        return
    windows.restart(window, version.delivered_at)
    if window.until is not None and window.until <= w.at:
        windows.give_a_day_from(window, w.at)


def _managers_reason(w: Writing, text: str) -> Message:
    words = require_text(w, text, code="reason_required")
    return write_message(w, MessageKind.INTERNAL_NOTE, words, audience=Audience.FIRM)


def _undo_consequences(w: Writing, version: Version) -> int | None:
    """Set the stage back; end the warranty and the closure that rested on it; credit what was
    billed."""
    if version.deliverable.proposal:
        if w.stage_from is not Stage.AUTHORIZATION:
            w.refuse("work_started")  # the customer's own authorisation has confirmed it
        w.stage = Stage.PROPOSAL
        return None
    version.warranties.filter(annulled_at__isnull=True).update(annulled_at=w.at)
    closures = w.case.decisions.filter(kind=DecisionKind.CLOSURE, annulled_at__isnull=True)
    closures.update(annulled_at=w.at)
    w.stage = windows.derived_stage(w.case)
    statements = w.case.statements.exclude(state=StatementState.CREDITED)
    newest = statements.order_by("number").last()
    statements.update(state=StatementState.CREDITED)
    return newest.pk if newest is not None else None
