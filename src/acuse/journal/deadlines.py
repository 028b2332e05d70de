"""The deadlines' book: planned anew from a case's rows after every act.

A deadline row is a hint. Nothing is decided by its being there: `plan` says what falls due and
when, `replan` makes the rows agree, and whoever fires one plans again under the case's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ..models import (
    Addressee,
    Case,
    Deadline,
    Membership,
    OrganisationKind,
    Outcome,
    StatementState,
    TimeState,
    Verdict,
    Wait,
    Window,
    sql,
)
from ..models.clocks import clocks_of
from ..policy.deadlines import DEADLINES, EVEN_LATE, SPEAKS
from ..policy.priority import Priority
from ..policy.stages import BEFORE_PROPOSAL, BEFORE_WORK, ENDED, Stage
from ..policy.targets import COUNTING
from ..policy.terms import business_days
from . import oncall


@dataclass(frozen=True)
class Planned:
    """One thing that falls due; see models/deadlines.py for `subject` and `step`."""

    kind: str
    due_at: datetime
    subject: int | None = None
    step: int = 0


def last_moment(case: Case) -> datetime:
    """The moment of the case's last line."""
    return case.ledger.order_by("-seq").values_list("at", flat=True)[0]


def replan(case: Case, at: datetime, *, opening: bool = False) -> None:
    """Make the pending rows agree with the plan as of a moment. What has fired stays as it was;
    an alarm that sounds once is not planned again for the same subject; and nobody is reminded
    or warned at a moment that had passed when the term was opened or opened again. A case that
    is just being opened has no rows yet."""
    rows = [] if opening else list(case.deadlines.order_by("due_at"))
    fired = {
        (row.kind, row.subject, row.step): row.due_at for row in rows if row.fired_at is not None
    }
    wanted = {
        (item.kind, item.subject, item.step): item.due_at
        for item in plan(case)
        if not _has_fired(item, fired)
    }
    for row in rows:
        if row.fired_at is not None:
            continue
        due_at = wanted.pop((row.kind, row.subject, row.step), None)
        if due_at is None:
            row.delete()
        elif due_at != row.due_at:
            row.due_at, row.not_before, row.failed_at, row.error = due_at, None, None, ""
            row.save()
    missing = [
        Deadline(case=case, kind=kind, subject=subject, step=step, due_at=due_at)
        for (kind, subject, step), due_at in wanted.items()
        if due_at > at or DEADLINES[kind].act not in SPEAKS or kind in EVEN_LATE
    ]
    sql.insert(*missing)
    if case.priority == Priority.URGENT:
        oncall.fire_at_once(missing, at)


def _has_fired(item: Planned, fired: dict[tuple[str, int | None, int], datetime]) -> bool:
    before = fired.get((item.kind, item.subject, item.step))
    if before is None:
        return False
    return DEADLINES[item.kind].once or item.due_at <= before


def plan(case: Case) -> list[Planned]:
    """Everything that falls due on a case as its rows stand now."""
    stage = Stage(case.stage)
    planned: list[Planned] = []
    if stage not in ENDED:
        planned += _targets(case)
        if case.priority == Priority.URGENT:
            planned += _pages(case)
    if case.lines == 1:  # opened and no more: nothing has been asked, delivered or charged yet
        return planned
    if stage not in ENDED:
        planned += _waits(case)
    if stage in (Stage.PROPOSAL, Stage.IN_PROGRESS, Stage.DELIVERED, Stage.CORRECTION):
        planned += _windows(case)
    if stage is Stage.ESTIMATION:
        planned += _proposal_revision(case)
    if stage is Stage.AUTHORIZATION:
        planned += _authorization(case)
    if stage in (Stage.IN_PROGRESS, Stage.DELIVERED, Stage.CORRECTION):
        planned += _corrections(case)
    if stage not in BEFORE_WORK:
        planned += _warranties(case)
    planned += _approvals(case)
    if stage is Stage.CLOSED:
        planned += _satisfaction(case)
    return planned


def _targets(case: Case) -> Iterator[Planned]:
    """Committed times that are still to be met (P21): the warnings, and the miss of each, dated
    when it came about even if the clock has stopped since."""
    for clock in clocks_of(case):
        target = clock.target
        if target.name == "first_response" and case.first_response_at is not None:
            continue
        if target.name == "delivery" and Stage(case.stage) not in COUNTING:
            continue
        due_at = clock.due_at
        if due_at is not None:
            yield Planned(target.name, due_at, target.minutes)
        for percent in case.policy.rules.target_warning_percents:
            warn_at = clock.threshold(percent)
            if warn_at is not None:
                yield Planned(target.warning, warn_at, target.minutes, percent)


def _pages(case: Case) -> Iterator[Planned]:
    """Who is paged next, until somebody acknowledges or all have been."""
    for paging in case.pagings.filter(ended_at__isnull=True, next_at__isnull=False):
        assert paging.next_at is not None  # filtered above
        yield Planned("page", paging.next_at, paging.pk, paging.steps)


def _waits(case: Case) -> Iterator[Planned]:
    rules = case.policy.rules
    for wait in case.waits.filter(ended_at__isnull=True):
        for step, days in enumerate(rules.wait_reminder_days):
            yield Planned("wait_reminder", _after(case, wait.asked_at, days), wait.pk, step)
        if rules.wait_cancel_days is not None and _may_lapse(case, wait):
            until = _after(case, wait.asked_at, rules.wait_cancel_days)
            yield Planned("wait_lapse", until, wait.pk)


# The acts whose lines say by which contract, and so by which policies, a case goes from then on.
_BINDING = ("open", "bind_customer", "classify")


def _may_lapse(case: Case, wait: Wait) -> bool:
    """Whether silence on a question ends the case: while nothing has been proposed, where the
    question is the customer's to answer, and none of their people has said anything since. One
    that has lapsed and was restored does not lapse again, and one that was asked under other
    policies never does: nobody announced it (P13)."""
    if Stage(case.stage) not in BEFORE_PROPOSAL or wait.addressee == Addressee.THIRD_PARTY:
        return False
    firm = Membership.objects.filter(organisation__kind=OrganisationKind.FIRM)
    said = case.messages.filter(at__gte=wait.asked_at).exclude(author__memberships__in=firm)
    lapsed = case.ledger.filter(kind="cancel_unanswered", payload__wait=wait.pk)
    bound = case.ledger.filter(kind__in=_BINDING, at__lte=wait.asked_at).order_by("-seq")
    asked_under = bound.values_list("payload__contract", flat=True).first()
    return asked_under == case.contract_id and not (said.exists() or lapsed.exists())


def _windows(case: Case) -> Iterator[Planned]:
    rules = case.policy.rules
    open_windows = case.windows.filter(closed_at__isnull=True, annulled=False)
    for window in open_windows.select_related("version__deliverable"):
        if window.until is None:
            hold = window.holds.filter(ended_at__isnull=True).earliest("since")
            yield Planned("hold_reminder", _after(case, hold.since, 1), hold.pk)
            continue
        yield from _reminders(window, [one.days for one in rules.window_reminders])
        if not window.tacit:
            yield Planned("answer_overdue", window.until, window.pk)
        elif window.version.deliverable.proposal:
            yield Planned("proposal_acceptance", window.until, window.pk)
        else:
            yield Planned("acceptance", window.until, window.pk)


def _reminders(window: Window, days_before: Iterable[int]) -> Iterator[Planned]:
    """At the opening of business, so many counted days before the last one ends."""
    counted = [day.on for day in window.term.days if day.counted]
    calendar = window.calendar.calendar
    for step, days in enumerate(days_before):
        spans = calendar.working_spans(counted[-1 - days])
        opening = spans[0][0] if spans else calendar.end_of_day(counted[-1 - days])
        yield Planned("acceptance_reminder", opening, window.pk, step)


def _proposal_revision(case: Case) -> Iterator[Planned]:
    rejected = (
        case.decisions.filter(kind="proposal", annulled_at__isnull=True).order_by("-at").first()
    )
    if rejected is not None and rejected.verdict == Verdict.REJECTED:
        days = case.policy.rules.proposal_revision_days
        yield Planned("proposal_revision", _after(case, rejected.at, days), rejected.pk)


def _authorization(case: Case) -> Iterator[Planned]:
    accepted = case.decisions.filter(kind="proposal", annulled_at__isnull=True).latest("at")
    rules = case.policy.rules
    for step, days in enumerate(rules.approval_reminder_days):
        yield Planned("authorization_reminder", _after(case, accepted.at, days), accepted.pk, step)
    if rules.authorization_lapses_after_days is not None:
        until = _after(case, accepted.at, rules.authorization_lapses_after_days)
        yield Planned("authorization_lapse", until, accepted.pk)


def _corrections(case: Case) -> Iterator[Planned]:
    """The firm's own clock on each rejected version that has no successor yet (P26)."""
    days = case.policy.rules.correction_days
    for deliverable in case.deliverables.filter(proposal=False):
        version = deliverable.latest
        if version is not None and version.outcome == Outcome.REJECTED:
            decision = version.decisions.get(annulled_at__isnull=True)
            yield Planned("correction", _after(case, decision.at, days), version.pk)


def _warranties(case: Case) -> Iterator[Planned]:
    for warranty in case.warranties.filter(ended_at__isnull=True, annulled_at__isnull=True):
        yield Planned("warranty_end", warranty.until, warranty.pk)
    days = case.policy.rules.claim_correction_days
    for claim in case.claims.filter(covered=True, fixed_at__isnull=True):
        assert claim.decided_at is not None  # it is covered, so it has been decided
        yield Planned("claim_correction", _after(case, claim.decided_at, days), claim.pk)


def _approvals(case: Case) -> Iterator[Planned]:
    """Time and billing are never approved by silence: reminders to the user, then to the service
    owner, then to the manager, who may close as unapproved (P30)."""
    rules = case.policy.rules
    steps = (*rules.approval_reminder_days, rules.approval_escalates_after_days)
    if case.time.filter(state=TimeState.SUBMITTED, billable=True).exists():
        line = case.ledger.filter(kind__in=["submit_time", "settle_time"]).latest("seq")
        for step, days in enumerate(steps):
            yield Planned("time_reminder", _after(case, line.at, days), line.seq, step)
    statement = case.statements.filter(state=StatementState.ISSUED).first()
    if statement is not None:
        for step, days in enumerate(steps):
            due_at = _after(case, statement.at, days)
            yield Planned("statement_reminder", due_at, statement.pk, step)


def _satisfaction(case: Case) -> Iterator[Planned]:
    if case.ended_at is not None and not case.satisfaction.exists():
        days = case.policy.rules.satisfaction_days
        yield Planned("satisfaction", _after(case, case.ended_at, days))


def _after(case: Case, at: datetime, days: int) -> datetime:
    until = business_days(at, days, case.calendar.calendar).until
    assert until is not None  # only a running hold leaves a term open, and here there is none
    return until
