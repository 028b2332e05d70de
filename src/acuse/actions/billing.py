"""Time and billing: logged, submitted, approved, disputed, settled; stated, approved, credited
(P18, P19, P30)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from ..journal.writer import Writing, act
from ..models import (
    Audience,
    Case,
    DecisionKind,
    MessageKind,
    OpenedBy,
    Outcome,
    Rate,
    Statement,
    StatementLine,
    StatementState,
    TimeEntry,
    TimeState,
    Verdict,
)
from ..models.billing import IN_FORCE, OPEN_STATES
from ..policy import billing, chain
from ..policy.billing import Activity, CaseFacts, Consent, Opener
from ..policy.kinds import Payload
from ..policy.stages import Role, Stage
from .writing import decide, require_text, write_message


@act("log_time")
def log_time(
    w: Writing, *, work_date: date, minutes: int, activity: Activity, text: str
) -> Payload:
    """Somebody of the firm logs what they worked; execution only once it is authorised, and not
    before that day; on a closed case only what never bills (P18, P19, P30)."""
    entry = _new_entry(w, work_date, minutes, activity, text)
    return {
        "entry": entry.pk,
        "person": entry.person_id,
        "work_date": entry.work_date,
        "minutes": entry.minutes,
        "billed_minutes": entry.billed_minutes,
        "activity": entry.activity,
        "consent": entry.consent,
        "billable": entry.billable,
        "reason": entry.reason,
    }


def _new_entry(
    w: Writing,
    work_date: date,
    minutes: int,
    activity: Activity,
    text: str,
    replaces: TimeEntry | None = None,
) -> TimeEntry:
    _check_day(w, work_date, activity)
    if isinstance(minutes, bool) or not 1 <= minutes <= 1440:
        w.refuse("minutes_positive", "minutes")
    if w.stage_from is Stage.CLOSED and billing.consent_for(activity) is not Consent.NONE:
        w.refuse("not_in_stage", "activity")  # time and billing were approved with the closure
    facts = case_facts(w.case)
    allowed = billing.may_log(activity, facts, minutes)
    if not allowed:
        w.refuse(allowed.reason, "activity", minutes=w.case.emergency_cap_minutes)
    entry = TimeEntry(
        case=w.case,
        person=replaces.person if replaces is not None else w.by,
        work_date=work_date,
        minutes=minutes,
        activity=activity,
        consent=billing.consent_for(activity),
        text=require_text(w, text),
        replaces=replaces,
        at=w.at,
    )
    judge(entry, facts)
    return entry


def _check_day(w: Writing, work_date: date, activity: Activity) -> None:
    calendar = w.case.calendar.calendar
    if work_date > calendar.local_day(w.at):
        w.refuse("work_date_future", "work_date")
    if work_date < calendar.local_day(w.case.opened_at):
        w.refuse("work_date_before", "work_date")
    ended = w.case.ended_at
    if (
        ended is not None
        and activity != Activity.WARRANTY
        and (work_date > calendar.local_day(ended))
    ):
        w.refuse("work_date_after_end", "work_date")
    authorized = w.case.authorized_at
    if (
        activity == Activity.EXECUTION
        and authorized is not None
        and (work_date < calendar.local_day(authorized))
    ):
        w.refuse("not_authorized", "work_date")


def case_facts(case: Case, reason: str = "") -> CaseFacts:
    """What billing depends on, as the case stands; `reason` is a manager's, for a duplicate."""
    openers = {OpenedBy.SUPPORT: Opener.SUPPORT, OpenedBy.MONITOR: Opener.MONITOR}
    return CaseFacts(
        bound=case.organisation_id is not None,
        opened_by=openers.get(OpenedBy(case.opened_by), Opener.USER),
        confirmed=case.confirmed_at is not None,
        unconfirmed_bills=case.policy.rules.diagnosis_billed_without_confirmation,
        duplicate=case.duplicate_of_id is not None,
        manager_reason=reason,
        authorized=case.authorized_at is not None,
        emergency_minutes_left=_emergency_minutes_left(case),
    )


def _emergency_minutes_left(case: Case) -> int | None:
    """What is left of an emergency's cap, until the estimate that follows has been accepted."""
    if case.emergency_cap_minutes is None:
        return None
    estimate = case.deliverables.filter(kind="estimate", proposal=False).order_by("pk").first()
    latest = estimate.latest if estimate is not None else None
    if latest is not None and latest.outcome == Outcome.ACCEPTED:  # silence authorises no work
        return None
    used = sum(e.minutes for e in case.time.current().filter(activity=Activity.EXECUTION))
    return max(0, case.emergency_cap_minutes - used)


def judge(entry: TimeEntry, facts: CaseFacts) -> None:
    """Say whether the entry bills and why, and round what it bills; keep the row."""
    verdict = billing.billable(Activity(entry.activity), facts)
    entry.billable, entry.reason = verdict.ok, verdict.reason
    unit = entry.case.rounding_minutes
    entry.billed_minutes = billing.round_minutes(entry.minutes, unit) if verdict.ok else 0
    entry.save()


def judge_again(case: Case, reason: str = "") -> None:
    """Judge all time anew where what it rests on has changed. What was approved as free of charge
    and bills now has to be approved once more."""
    facts = case_facts(case, reason)
    for entry in case.time.current().exclude(state=TimeState.WAIVED):
        before = entry.billed_minutes
        judge(entry, facts)
        if entry.state == TimeState.APPROVED and entry.billed_minutes > before:
            _set_state([entry], TimeState.LOGGED)


@act("correct_time")
def correct_time(
    w: Writing, *, entry: TimeEntry, work_date: date, minutes: int, activity: Activity, text: str
) -> Payload:
    """Logged time is corrected by a new entry in its place; approved time no more (P30)."""
    before = TimeEntry.objects.select_related("person").get(pk=entry.pk, case=w.case)
    if before.state not in OPEN_STATES:
        w.refuse("time_locked", "entry", state=before.state)
    if before.person_id != w.by.pk and not w.roles & {Role.MANAGER, Role.SPOC}:
        w.refuse("not_your_role")
    before.state = TimeState.REPLACED
    before.save(update_fields=["state"])
    row = _new_entry(w, work_date, minutes, activity, text, replaces=before)
    return {
        "entry": row.pk,
        "replaces": before.pk,
        "minutes": row.minutes,
        "billed_minutes": row.billed_minutes,
        "activity": row.activity,
        "billable": row.billable,
        "reason": row.reason,
        "text_hash": row.hash_of(),
    }


@act("submit_time")
def submit_time(w: Writing, *, reason: str = "") -> Payload:
    """The firm submits the logged time to the customer, line by line (P30). Time of a duplicate
    bills only with a manager's reason, which is kept (P18)."""
    words = reason.strip()
    if words and Role.MANAGER not in w.roles:
        w.refuse("not_your_role", "reason")
    note = None
    if words:
        note = write_message(w, MessageKind.INTERNAL_NOTE, words, audience=Audience.FIRM)
        judge_again(w.case, words)
    entries = list(w.case.time.filter(state=TimeState.LOGGED))
    if not entries:
        w.refuse("nothing_to_submit")
    facts = case_facts(w.case, words)
    for entry in entries:
        entry.state = TimeState.SUBMITTED
        judge(entry, facts)
    return {
        "entries": [entry.pk for entry in entries],
        "minutes": sum(entry.billed_minutes for entry in entries),
        "text_hash": note.hash_of() if note is not None else None,
    }


@act("approve_time")
def approve_time(w: Writing, *, entries: Sequence[TimeEntry]) -> Payload:
    """A user approves executed time, line by line; never by silence (P08, P30)."""
    rows = _entries(w, entries, TimeState.SUBMITTED, TimeState.DISPUTED)
    decision = decide(w, DecisionKind.TIME, Verdict.ACCEPTED)
    _set_state(rows, TimeState.APPROVED)
    return {
        "decision": decision.pk,
        "entries": [row.pk for row in rows],
        "minutes": sum(row.billed_minutes for row in rows),
    }


@act("dispute_time")
def dispute_time(w: Writing, *, entries: Sequence[TimeEntry], text: str) -> Payload:
    """A user disputes executed time with the reason (P08, P30)."""
    words = require_text(w, text, code="reason_required")
    rows = _entries(w, entries, TimeState.SUBMITTED)
    decision = decide(w, DecisionKind.TIME, Verdict.REJECTED, text=words)
    for row in rows:
        row.dispute_text = words
        row.save(update_fields=["dispute_text"])
    _set_state(rows, TimeState.DISPUTED)
    return {
        "decision": decision.pk,
        "entries": [row.pk for row in rows],
        "text_hash": decision.hash_of(),
    }


@act("settle_time")
def settle_time(w: Writing, *, entries: Sequence[TimeEntry], waive: bool, text: str) -> Payload:
    """A manager settles disputed time: waived, or put to the customer once more with the
    reason (P30)."""
    words = require_text(w, text, code="reason_required")
    rows = _entries(w, entries, TimeState.DISPUTED)
    message = write_message(w, MessageKind.COMMENT, words)
    _set_state(rows, TimeState.WAIVED if waive else TimeState.SUBMITTED)
    return {
        "entries": [row.pk for row in rows],
        "outcome": "waived" if waive else "upheld",
        "text_hash": message.hash_of(),
    }


def _entries(w: Writing, entries: Iterable[TimeEntry], *states: TimeState) -> list[TimeEntry]:
    """The case's own entries among these, each in one of the states; refused otherwise."""
    rows = list(w.case.time.filter(pk__in=[entry.pk for entry in entries]))
    if not rows:
        w.refuse("nothing_to_submit", "entries")
    for row in rows:
        if row.state not in states:
            w.refuse("time_locked", "entries", state=row.state)
    return rows


def _set_state(rows: Iterable[TimeEntry], state: TimeState) -> None:
    for row in rows:
        row.state = state
        row.save(update_fields=["state"])


@act("issue_statement")
def issue_statement(w: Writing) -> Payload:
    """The firm states what the case bills: the approved time at the contract's rates (P30)."""
    if w.case.statements.filter(state__in=IN_FORCE).exists():
        w.refuse("statement_exists")
    if w.case.time.awaiting_approval().exists():
        w.refuse("time_unapproved")
    entries = list(w.case.time.approved_but_not_on(*IN_FORCE))
    if not entries:
        w.refuse("nothing_to_bill")
    rates = w.case.rates
    if rates is None:
        w.refuse("rate_missing", activity=entries[0].activity)
    lines = [_line(w, entry, rates.currency) for entry in entries]
    total = sum((line.amount for line in lines), Decimal(0))
    statement = Statement.objects.create(
        case=w.case,
        number=w.case.statements.count() + 1,
        currency=rates.currency,
        total=total,
        content_hash=_content_hash(lines, rates.currency),
        at=w.at,
    )
    for line in lines:
        line.statement = statement
    StatementLine.objects.bulk_create(lines)
    return {
        "statement": statement.pk,
        "entries": [entry.pk for entry in entries],
        "currency": statement.currency,
        "total": str(total),
        "content_hash": statement.content_hash,
    }


def _line(w: Writing, entry: TimeEntry, currency: str) -> StatementLine:
    rates = Rate.objects.filter(version=w.case.rates, activity=entry.activity)
    rate = (
        rates.filter(specialty=w.case.specialty_id).first()
        or rates.filter(specialty__isnull=True).first()
    )
    if rate is None:
        w.refuse("rate_missing", activity=entry.activity)
    return StatementLine(
        entry=entry,
        minutes=entry.billed_minutes,
        hourly=rate.hourly,
        amount=billing.amount(entry.billed_minutes, rate.hourly, currency),
    )


def _content_hash(lines: Iterable[StatementLine], currency: str) -> str:
    content = [[line.entry_id, line.minutes, str(line.hourly), str(line.amount)] for line in lines]
    return hashlib.sha256(chain.canonical([currency, content])).hexdigest()


@act("approve_statement")
def approve_statement(w: Writing, *, statement: Statement) -> Payload:
    """A user approves the billing of the case (P08, P30)."""
    row = _statement(w, statement, StatementState.ISSUED)
    decision = decide(w, DecisionKind.BILLING, Verdict.ACCEPTED, statement=row)
    _move(row, StatementState.APPROVED)
    return {
        "decision": decision.pk,
        "statement": row.pk,
        "content_hash": row.content_hash,
    }


@act("dispute_statement")
def dispute_statement(w: Writing, *, statement: Statement, text: str) -> Payload:
    """A user disputes the billing with the reason; the firm then credits it or explains (P30)."""
    words = require_text(w, text, code="reason_required")
    row = _statement(w, statement, StatementState.ISSUED)
    decision = decide(w, DecisionKind.BILLING, Verdict.REJECTED, statement=row, text=words)
    _move(row, StatementState.DISPUTED)
    return {"decision": decision.pk, "statement": row.pk, "text_hash": decision.hash_of()}


@act("credit_statement")
def credit_statement(w: Writing, *, statement: Statement, text: str) -> Payload:
    """A manager credits a statement whole, with the reason; its time can be stated anew (P30)."""
    words = require_text(w, text, code="reason_required")
    states = [state for state in StatementState if state != StatementState.CREDITED]
    row = _statement(w, statement, *states)
    message = write_message(w, MessageKind.COMMENT, words)
    _move(row, StatementState.CREDITED)
    return {
        "statement": row.pk,
        "total": str(-row.total),
        "currency": row.currency,
        "text_hash": message.hash_of(),
    }


@act("export_statement")
def export_statement(w: Writing, *, statement: Statement) -> Payload:
    """A manager exports an approved statement to the accounts, once (P30)."""
    row = _statement(w, statement, StatementState.APPROVED)
    _move(row, StatementState.EXPORTED)
    return {"statement": row.pk, "content_hash": row.content_hash}


def _statement(w: Writing, statement: Statement, *states: StatementState) -> Statement:
    row = Statement.objects.get(pk=statement.pk, case=w.case)
    if row.state not in states:
        w.refuse("statement_state", "statement", state=row.state)
    return row


def _move(statement: Statement, state: StatementState) -> None:
    statement.state = state
    statement.save(update_fields=["state"])
