"""One case's life, in order (P20). Each act is one sentence that a lawyer could read.

Locking, permission, stage table, ledger, deadlines and notices are met once, in
journal/writer.py. An act takes an Occasion (which case, by whom, when) and returns its ledger
line, the receipt; what is not allowed raises Refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max

from ..journal.writer import Writing, act
from ..models import (
    WARRANTED,
    Area,
    Audience,
    Case,
    CaseType,
    DecisionKind,
    Deliverable,
    DeliverableKind,
    Dispatch,
    Entity,
    Environment,
    Estimate,
    EstimateLine,
    LinkKind,
    Mailbox,
    Message,
    MessageKind,
    Module,
    OpenedBy,
    Organisation,
    Outcome,
    Person,
    RawMail,
    RootCause,
    ScopeItem,
    ScopeValidation,
    SearchEntry,
    Side,
    Specialty,
    StatementState,
    TimeState,
    Verdict,
    Version,
    Warranty,
    sql,
)
from ..models.billing import IN_FORCE, SETTLED
from ..models.roles import is_customer_side, owners_of
from ..policy.authors import Channel
from ..policy.billing import Activity
from ..policy.estimates import number_rows
from ..policy.files import File
from ..policy.kinds import Payload
from ..policy.priority import Impact, Priority, Urgency, allowed_override
from ..policy.stages import BEFORE_PROPOSAL, CancelReason, Role, Stage
from ..policy.terms import calendar_days
from . import billing, binding, windows
from .drafts import EstimateDraft, LineDraft, Planned
from .writing import (
    decide,
    keep_files,
    recipients,
    require_bound,
    require_text,
    write_message,
    write_objections,
)


@act("open")
def open(
    w: Writing,
    *,
    subject: str,
    text: str,
    reporter: Person | None = None,
    organisation: Organisation | None = None,
    mailbox: Mailbox | None = None,
    environment: Environment | None = None,
    module: Module | None = None,
    impact: Impact | None = None,
    urgency: Urgency | None = None,
    files: Sequence[File] = (),
    raw_mail: RawMail | None = None,
    whole_text: str = "",
    html: str = "",
    language: str = "",
    origin: Case | None = None,
    confirm: bool = True,
) -> Payload:
    """Somebody reports a case; registering it accepts the policies and the payment of diagnosis
    and meetings (P03, P07, P11, P18)."""
    by_customer = bool(w.roles & {Role.USER, Role.STRANGER})
    reporter = w.by if by_customer else reporter
    case = w.case
    case.subject = require_text(w, subject, "subject", "subject_required")[:250]
    case.opened_at, case.opened_by = w.at, _opened_by(w)
    case.reporter, case.mailbox, case.origin = reporter, mailbox, origin
    case.queue_id = mailbox.queue_id if mailbox is not None else None
    case.environment, case.module = environment, module
    case.impact, case.urgency = impact or "", urgency or ""
    case.language = language or (reporter.language if reporter is not None else "es")
    binding.pin_defaults(case, w.at)
    organisation = organisation or _organisation_of(reporter, mailbox)
    if organisation is None and environment is not None:
        organisation = environment.organisation
    if organisation is not None:
        require_member(w, reporter, organisation)
        binding.bind(case, organisation)
    if environment is not None and environment.organisation_id != case.organisation_id:
        w.refuse("other_customer", "environment")
    sql.insert(case)
    message = write_message(
        w,
        MessageKind.REPORT,
        text,
        files=files,
        raw_mail=raw_mail,
        whole_text=whole_text,
        html=html,
        author=reporter if raw_mail or w.occasion.by.channel == Channel.MAIL else None,
    )
    sql.insert(SearchEntry(case=case, subject=case.subject, body=text[:20_000]))
    w.stage, w.silent = Stage.RECEIVED, not confirm
    return {
        "message": message.pk,
        "organisation": case.organisation_id,
        "policy": case.policy_id,
        "contract": case.contract_id,
        "origin": origin.pk if origin is not None else None,
        "raw_mail": raw_mail.pk if raw_mail is not None else None,
        "priority": case.priority,
        "text_hash": message.hash_of(),
    }


def _opened_by(w: Writing) -> OpenedBy:
    if Role.MONITOR in w.roles:
        return OpenedBy.MONITOR
    if Role.STRANGER in w.roles:
        return OpenedBy.STRANGER
    return OpenedBy.USER if Role.USER in w.roles else OpenedBy.SUPPORT


def _organisation_of(reporter: Person | None, mailbox: Mailbox | None) -> Organisation | None:
    """The customer that the reporter belongs to: the mailbox's own where they belong to several."""
    if reporter is None:
        return None
    mine = {customer.pk: customer for customer in reporter.customers()}
    if mailbox is not None and mailbox.organisation_id in mine:
        return mine[mailbox.organisation_id]
    return next(iter(mine.values())) if len(mine) == 1 else None


def require_member(w: Writing, reporter: Person | None, organisation: Organisation) -> None:
    """Nobody's case goes to a customer they do not belong to. A reporter who belongs to none may
    be bound to one, by the firm."""
    mine = reporter.organisation_ids() if reporter is not None else []
    unknown = not mine and not is_customer_side(w.roles)
    if organisation.pk not in mine and not unknown:
        w.refuse("other_customer", "organisation")


@act("take")
def take(w: Writing) -> Payload:
    """Support takes the case and checks that the information is complete (P13)."""
    w.case.assignee = w.by
    w.stage = Stage.ANALYSIS
    return {}


@act("classify")
def classify(
    w: Writing,
    *,
    impact: Impact,
    urgency: Urgency,
    type: CaseType | None = None,
    specialty: Specialty | None = None,
    module: Module | None = None,
    environment: Environment | None = None,
    entity: Entity | None = None,
    area: Area | None = None,
    root_cause: RootCause | None = None,
    priority: Priority | None = None,
    reason: str = "",
) -> Payload:
    """Support sets specialty, priority and type; the priority follows from impact and urgency,
    and is Low without committed times (P14, P21, P22). A case without a contract gets the one
    that covers the system, module or company now known (P09)."""
    case = w.case
    for name, row in (("environment", environment), ("entity", entity), ("area", area)):
        if row is not None and row.organisation_id != case.organisation_id:
            w.refuse("other_customer", name)
    case.impact, case.urgency = impact, urgency
    if binding.place(case, module=module, environment=environment, entity=entity, area=area):
        billing.judge_again(case)
    derived = binding.reset_priority(case)
    chosen = priority or derived
    override = allowed_override(derived, chosen, reason, case.sla is not None)
    if not override.allowed:
        w.refuse(override.code, "priority")
    case.priority = chosen
    case.type, case.specialty, case.root_cause = type, specialty, root_cause
    case.classified_at = w.at
    if chosen != derived:
        write_message(w, MessageKind.INTERNAL_NOTE, reason.strip(), audience=Audience.FIRM)
    return {
        "type": case.type_id,
        "specialty": case.specialty_id,
        "module": case.module_id,
        "environment": case.environment_id,
        "entity": case.entity_id,
        "area": case.area_id,
        "contract": case.contract_id,
        "root_cause": case.root_cause_id,
        "impact": impact,
        "urgency": urgency,
        "derived": derived,
        "priority": chosen,
        "overridden": chosen != derived,
    }


@act("diagnose")
def diagnose(w: Writing) -> Payload:
    """The firm starts to diagnose a classified case (P14)."""
    if w.case.classified_at is None:
        w.refuse("not_classified")
    w.stage = Stage.DIAGNOSIS
    return {}


@act("estimate")
def estimate(w: Writing) -> Payload:
    """A consultant starts the estimate (P17)."""
    require_bound(w)
    w.stage = Stage.ESTIMATION
    return {}


@act("submit_scope")
def submit_scope(w: Writing, *, draft: EstimateDraft) -> Payload:
    """A consultant submits a version of scope and effort for validation by both sides (P17)."""
    if w.case.organisation is None or w.case.organisation.spoc is None:
        w.refuse("spoc_missing")
    if not owners_of(w.case, w.at):
        w.refuse("owner_missing")
    if not draft.items:
        w.refuse("nothing_planned", "items")
    if not draft.lines or any(line.minutes <= 0 for line in draft.lines):
        w.refuse("lines_required", "lines")
    if w.case.objections.filter(version__deliverable__proposal=True, outcome="").exists():
        w.refuse("objections_unanswered")
    row = Estimate.objects.create(
        case=w.case,
        number=w.case.estimates.count() + 1,
        text=require_text(w, draft.scope, "scope"),
        exclusions=draft.exclusions,
        assumptions=draft.assumptions,
        author=w.by,
        at=w.at,
    )
    for key, item in zip(_keys(w.case, ScopeItem, draft.items), draft.items, strict=True):
        ScopeItem.objects.create(estimate=row, key=key, kind=item.kind, title=item.title)
    for key, line in zip(_keys(w.case, EstimateLine, draft.lines), draft.lines, strict=True):
        EstimateLine.objects.create(
            estimate=row,
            key=key,
            description=line.description,
            activity=line.activity,
            specialty=line.specialty,
            minutes=line.minutes,
        )
    w.stage = Stage.SCOPE_VALIDATION
    text_hash = row.hash_of("text", "exclusions", "assumptions")
    return {
        "estimate": row.pk,
        "version": row.number,
        "text_hash": text_hash,
        "minutes": row.minutes,
    }


def _keys(
    case: Case, model: type[ScopeItem | EstimateLine], rows: Sequence[Planned | LineDraft]
) -> list[int]:
    """The keys of a new version's rows: the same thing keeps its own through all versions."""
    used = model._base_manager.filter(estimate__case=case).aggregate(most=Max("key"))["most"]
    return number_rows([row.key for row in rows], used or 0)


@act("validate_scope")
def validate_scope(w: Writing, *, estimate: Estimate) -> Payload:
    """The customer's service owner and the firm's SPOC validate the same version of the scope;
    the second of the two delivers the estimate as a proposal (P17, P23)."""
    side = _side_of(w)
    row = _current_estimate(w, estimate)
    _, new = ScopeValidation.objects.get_or_create(
        estimate=row, side=side, defaults={"person": w.by, "at": w.at}
    )
    if not new:
        w.refuse("already_validated")
    complete = row.validations.count() == len(Side)
    version = _propose(w, row) if complete else None
    return {
        "estimate": row.pk,
        "side": side,
        "complete": complete,
        "version": version.pk if version is not None else None,
    }


def _side_of(w: Writing) -> Side:
    return Side.OWNER if Role.OWNER in w.roles else Side.SPOC


def _current_estimate(w: Writing, estimate: Estimate) -> Estimate:
    newest: Estimate = w.case.estimates.latest("number")
    if newest.pk != estimate.pk:
        w.refuse("stale_version", number=newest.number)
    return newest


def _propose(w: Writing, estimate: Estimate) -> Version:
    proposal, _ = Deliverable.objects.get_or_create(
        case=w.case,
        proposal=True,
        defaults={
            "kind": DeliverableKind.ESTIMATE,
            "title": w.case.subject[:200],
            "planned_at": w.at,
        },
    )
    version = _new_version(w, proposal, estimate.text, estimate)
    w.stage = Stage.PROPOSAL
    return version


def _new_version(
    w: Writing, deliverable: Deliverable, text: str, estimate: Estimate | None = None
) -> Version:
    """The next version of a deliverable, with a copy dispatched to each of the customer's people;
    its term starts when the first copy has arrived."""
    before = deliverable.versions.all()
    version = Version.objects.create(
        deliverable=deliverable,
        case=w.case,
        number=before.count() + 1,
        corrected=before.filter(outcome=Outcome.REJECTED).exists(),
        estimate=estimate,
        text=text,
        author=w.person,
        at=w.at,
    )
    for person in recipients(w.case, w.at):
        dispatch = Dispatch.objects.create(version=version, person=person, sent_at=w.at)
        w.dispatches.append(dispatch)
        w.told.append(person)
    return version


@act("return_scope")
def return_scope(w: Writing, *, estimate: Estimate, text: str) -> Payload:
    """Either of the two returns the scope with the reason; a new version clears both
    validations (P17)."""
    row = _current_estimate(w, estimate)
    message = write_message(w, MessageKind.COMMENT, require_text(w, text, code="reason_required"))
    w.stage = Stage.ESTIMATION
    return {"estimate": row.pk, "side": _side_of(w), "text_hash": message.hash_of()}


@act("accept_proposal")
def accept_proposal(w: Writing, *, version: Version) -> Payload:
    """A user accepts the proposal, which authorises no work yet (P08, P19, P24)."""
    version = windows.latest_pending(w, version)
    decision = decide(
        w, DecisionKind.PROPOSAL, Verdict.ACCEPTED, version=version, estimate=version.estimate
    )
    window = windows.close_window(version, w.at)
    w.stage = Stage.AUTHORIZATION
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
    }


@act("accept_proposal_tacitly")
def accept_proposal_tacitly(w: Writing, *, version: Version) -> Payload:
    """No comment having been received in the term, the proposal counts as accepted; silence
    never starts the work (P19, P24)."""
    version = windows.latest_pending(w, version)
    window = windows.end_by_silence(w, version)
    decision = decide(
        w, DecisionKind.PROPOSAL, Verdict.TACIT, version=version, estimate=version.estimate
    )
    w.stage = Stage.AUTHORIZATION
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk,
        "last_day": window.last_day,
    }


@act("reject_proposal")
def reject_proposal(
    w: Writing, *, version: Version, objections: Sequence[tuple[str, str]], revise: bool = True
) -> Payload:
    """A user rejects the proposal in time and with grounds, and wants a new version or none;
    diagnosis and meetings remain payable (P18, P25, P26)."""
    version = windows.latest_pending(w, version)
    window = windows.require_in_time(w, version)
    decision = decide(
        w, DecisionKind.PROPOSAL, Verdict.REJECTED, version=version, estimate=version.estimate
    )
    rows = write_objections(w, decision, version, objections)
    windows.close_window(version, w.at)
    w.stage = Stage.ESTIMATION if revise else Stage.CANCELLED
    if not revise:
        windows.end_side_rows(w.case, w.at)
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "revise": revise,
        "objections": [row.pk for row in rows],
        "text_hash": rows[0].hash_of("text", "grounds"),
    }


@act("authorize")
def authorize(w: Writing) -> Payload:
    """A user authorises the accepted work to start: an act of its own, never implied (P19)."""
    estimate = w.case.estimates.get(version__outcome__in=[Outcome.ACCEPTED, Outcome.TACIT])
    decision = decide(w, DecisionKind.AUTHORIZATION, Verdict.ACCEPTED, estimate=estimate)
    for item in estimate.items.all():
        _plan_deliverable(w, Planned(item.kind, item.title))
    w.case.authorized_at = w.at
    w.stage = Stage.IN_PROGRESS
    return {"decision": decision.pk, "estimate": estimate.pk}


def _plan_deliverable(w: Writing, planned: Planned) -> Deliverable:
    return Deliverable.objects.create(
        case=w.case, kind=planned.kind, title=planned.title, planned_at=w.at
    )


@act("authorize_emergency")
def authorize_emergency(w: Writing, *, items: Sequence[Planned]) -> Payload:
    """A user authorises work on an Urgent case at once, hours capped; the estimate follows as a
    deliverable to be accepted (P19, P21)."""
    if w.case.priority != Priority.URGENT:
        w.refuse("not_urgent")
    if not items:
        w.refuse("nothing_planned", "items")
    decision = decide(w, DecisionKind.AUTHORIZATION, Verdict.ACCEPTED)
    estimate = Planned(DeliverableKind.ESTIMATE, w.case.subject[:200])
    rows = [_plan_deliverable(w, planned) for planned in (estimate, *items)]
    cap = w.case.policy.rules.emergency_cap_minutes
    w.case.emergency_cap_minutes, w.case.authorized_at = cap, w.at
    w.stage = Stage.IN_PROGRESS
    return {
        "decision": decision.pk,
        "cap_minutes": cap,
        "deliverables": [row.pk for row in rows],
    }


@act("decline")
def decline(w: Writing) -> Payload:
    """A user declines the accepted work, or the offer lapses where the policy says so; diagnosis
    and meetings remain payable (P18, P19)."""
    lapsed = w.person is None
    decision = decide(w, DecisionKind.AUTHORIZATION, Verdict.REJECTED)
    windows.end_side_rows(w.case, w.at)
    w.stage = Stage.CANCELLED
    return {"decision": decision.pk, "lapsed": lapsed}


@act("deliver")
def deliver(
    w: Writing,
    *,
    text: str,
    deliverable: Deliverable | None = None,
    new: Planned | None = None,
    files: Sequence[File] = (),
) -> Payload:
    """The firm delivers a version; its term runs from the proven delivery (P23, P24). A new
    version after a rejection answers every objection (P26)."""
    require_bound(w)
    row = _deliverable(w, deliverable, new)
    _require_deliverable_now(w, row)
    version = _new_version(w, row, require_text(w, text))
    hashes = keep_files(w, files, version=version)
    w.stage = windows.derived_stage(w.case)
    return {
        "deliverable": row.pk,
        "version": version.pk,
        "corrected": version.corrected,
        "files": hashes,
        "text_hash": version.hash_of(),
        "dispatches": [dispatch.pk for dispatch in w.dispatches],
    }


def _deliverable(w: Writing, deliverable: Deliverable | None, new: Planned | None) -> Deliverable:
    if deliverable is not None:
        return Deliverable.objects.get(pk=deliverable.pk, case=w.case, proposal=False)
    if new is None or not new.title.strip():
        w.refuse("nothing_planned", "deliverable")
    if new.kind == DeliverableKind.ESTIMATE:
        w.refuse("estimate_by_scope", "kind")
    return _plan_deliverable(w, new)


def _require_deliverable_now(w: Writing, deliverable: Deliverable) -> None:
    if w.case.authorized_at is None:
        if deliverable.kind != DeliverableKind.ANSWER:
            w.refuse("kind_not_deliverable", "kind")
        if w.case.time.current().filter(activity=Activity.EXECUTION).exists():
            w.refuse("execution_exists")
    latest = deliverable.latest
    if latest is None:
        return
    if latest.outcome == Outcome.PENDING:
        w.refuse("awaiting_acceptance", "deliverable")
    if latest.outcome != Outcome.REJECTED:
        w.refuse("already_accepted", "deliverable")
    if latest.objections.filter(outcome="").exists():
        w.refuse("objections_unanswered")


@act("accept")
def accept(w: Writing, *, version: Version) -> Payload:
    """A user accepts a delivered version, which is then definitive (P24)."""
    version = windows.latest_pending(w, version)
    decision = decide(w, DecisionKind.RESULT, Verdict.ACCEPTED, version=version)
    window = windows.close_window(version, w.at)
    warranty = _start_warranty(w, version)
    w.stage = windows.derived_stage(w.case)
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "warranty": warranty.pk if warranty is not None else None,
    }


@act("accept_tacitly")
def accept_tacitly(w: Writing, *, version: Version) -> Payload:
    """No comment having been received in the term, the version counts as definitively and
    tacitly accepted, at the instant at which the term ends (P24)."""
    version = windows.latest_pending(w, version)
    window = windows.end_by_silence(w, version)
    decision = decide(w, DecisionKind.RESULT, Verdict.TACIT, version=version)
    warranty = _start_warranty(w, version)
    w.stage = windows.derived_stage(w.case)
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk,
        "warranty": warranty.pk if warranty is not None else None,
        "last_day": window.last_day,
    }


def _start_warranty(w: Writing, version: Version) -> Warranty | None:
    """Developments and parametrisations only, from the delivery of the accepted version (P27)."""
    if version.deliverable.kind not in WARRANTED:
        return None
    rules, starts_at = w.case.policy.rules, version.delivered_at or version.at
    calendar = w.case.calendar.latest().calendar
    term = calendar_days(starts_at, rules.warranty_days, calendar, rules.warranty_rolls)
    assert term.last_day is not None  # nothing holds a warranty
    assert term.until is not None
    return Warranty.objects.create(
        case=w.case,
        version=version,
        starts_at=starts_at,
        last_day=term.last_day,
        until=term.until,
        computation=term.to_json(),
    )


@act("reject")
def reject(w: Writing, *, version: Version, objections: Sequence[tuple[str, str]]) -> Payload:
    """A user rejects a version in writing before the term ends, each objection with its grounds;
    the firm's term to correct starts (P25, P26)."""
    version = windows.latest_pending(w, version)
    window = windows.require_in_time(w, version)
    decision = decide(w, DecisionKind.RESULT, Verdict.REJECTED, version=version)
    rows = write_objections(w, decision, version, objections)
    windows.close_window(version, w.at)
    w.stage = windows.derived_stage(w.case)
    return {
        "decision": decision.pk,
        "version": version.pk,
        "window": window.pk if window is not None else None,
        "objections": [row.pk for row in rows],
        "text_hash": rows[0].hash_of("text", "grounds"),
    }


@act("close")
def close(w: Writing, *, unapproved: bool = False) -> Payload:
    """A user approves the closure, time and billing having been approved; a manager may close
    without that approval, which bills nothing that needed one (P30)."""
    if unapproved and Role.MANAGER not in w.roles:
        w.refuse("not_your_role")
    if unapproved:
        _drop_unapproved(w.case)
    _require_settled_accounts(w)
    verdict = Verdict.ACCEPTED if Role.USER in w.roles else Verdict.UNAPPROVED
    decision = decide(w, DecisionKind.CLOSURE, verdict)
    windows.end_side_rows(w.case, w.at)
    w.stage = Stage.CLOSED
    return {"decision": decision.pk, "unapproved": unapproved}


def _drop_unapproved(case: Case) -> None:
    case.statements.exclude(state__in=SETTLED).update(state=StatementState.CREDITED)
    for entries in (case.time.awaiting_approval(), case.time.approved_but_not_on(*SETTLED)):
        entries.update(state=TimeState.WAIVED)


def _require_settled_accounts(w: Writing) -> None:
    if w.case.time.awaiting_approval().exists():
        w.refuse("time_unapproved")
    if w.case.time.approved_but_not_on(*SETTLED).exists():
        w.refuse("billing_unapproved")


@act("cancel")
def cancel(w: Writing, *, reason: CancelReason, text: str = "") -> Payload:
    """The customer or support cancels with a reason before delivery; diagnosis, meetings and
    authorised execution remain payable (P15, P18). Running work: a user or a manager only."""
    if w.stage_from is Stage.IN_PROGRESS and not w.roles & {Role.USER, Role.MANAGER}:
        w.refuse("not_your_role")
    message: Message | None = None
    if text.strip():
        message = write_message(w, MessageKind.COMMENT, text.strip())
    w.case.stage_before_cancel = w.case.stage
    windows.end_side_rows(w.case, w.at)
    w.stage = Stage.CANCELLED
    return {"reason": reason, "text_hash": message.hash_of() if message is not None else None}


@act("restore")
def restore(w: Writing) -> Payload:
    """Support undoes the cancellation of a duplicate, or for lack of an answer; the case goes on
    where it was, an open question included (P13, P15)."""
    case, original = w.case, w.case.duplicate_of
    lapsed = original is None and _lapsed(case)
    known = original is not None or lapsed
    if not known or Stage(case.stage_before_cancel) not in BEFORE_PROPOSAL:
        w.refuse("not_restorable")
    if case.statements.filter(state__in=IN_FORCE).exists():
        w.refuse("statement_exists")
    if lapsed:
        case.waits.filter(ended_at=case.ended_at, answered=False).update(ended_at=None)
    if original is not None:
        _undo_duplicate(w, original)
    billing.judge_again(case)
    w.stage = Stage(case.stage_before_cancel)
    case.stage_before_cancel = ""
    return {"original": original.pk if original is not None else None}


def _lapsed(case: Case) -> bool:
    """Whether the clock cancelled it, because nobody answered."""
    assert case.ended_at is not None  # only a cancelled case is restored
    return case.ledger.filter(kind="cancel_unanswered", at=case.ended_at).exists()


def _undo_duplicate(w: Writing, original: Case) -> None:
    case = w.case
    links = case.links.filter(other=original, kind=LinkKind.DUPLICATE, undone_at__isnull=True)
    for link in links:
        original.watchers.filter(since=link.at, until__isnull=True).update(until=w.at)
        case.waits.filter(ended_at=link.at, answered=False).update(ended_at=None)
    links.update(undone_at=w.at)
    case.duplicate_of = None
