"""Who has to move next on a case, and the intervals in which each had to (P01, P04)."""

from __future__ import annotations

from datetime import datetime

from ..models import Addressee, Case, ClockInterval, TimeEntry, TimeState
from ..models.roles import is_customer_side
from ..policy.stages import ENDED, STAGES, Ball, Role, Stage
from ..policy.terms import minutes_between


def holder(case: Case, roles: frozenset[Role], act: str) -> Ball:
    """Who holds the ball after this act. An open question overrides the stage; a customer's word
    on an ended case gives the ball to the firm until the firm has answered."""
    stage = Stage(case.stage)
    wait = case.waits.filter(ended_at__isnull=True).first()
    if wait is not None:
        third = wait.addressee == Addressee.THIRD_PARTY
        return Ball.THIRD_PARTY if third else Ball.CUSTOMER
    if stage in ENDED:
        return _after_the_end(case, roles, act)
    if stage is Stage.ACCEPTED:
        return _while_accounts_are_settled(case)
    if stage is Stage.DELIVERED and not _awaits_customer(case):
        return Ball.FIRM
    return STAGES[stage].ball


def _after_the_end(case: Case, roles: frozenset[Role], act: str) -> Ball:
    if case.claims.filter(fixed_at__isnull=True).exclude(covered=False).exists():
        return Ball.FIRM
    if is_customer_side(roles) and act in ("comment", "attach"):
        return Ball.FIRM
    # Otherwise the last word stays: with the firm until it answers, with nobody after.
    if case.ball == Ball.FIRM and not roles - {Role.CLOCK, Role.SYSTEM, Role.MONITOR}:
        return Ball.FIRM
    return Ball.NOBODY


def _while_accounts_are_settled(case: Case) -> Ball:
    """Accepted: the firm submits time and bills, the customer approves, then somebody closes."""
    time = case.time.current().filter(billable=True)
    if time.filter(state__in=[TimeState.LOGGED, TimeState.DISPUTED]).exists():
        return Ball.FIRM
    if time.filter(state=TimeState.SUBMITTED).exists():
        return Ball.CUSTOMER
    unbilled = TimeEntry.objects.current().filter(
        case=case, billable=True, state=TimeState.APPROVED, billed_minutes__gt=0
    )
    if (
        unbilled.exists()
        and not case.statements.exclude(state__in=["credited", "disputed"]).exists()
    ):
        return Ball.FIRM
    return Ball.CUSTOMER


def _awaits_customer(case: Case) -> bool:
    """Whether some delivered copy has reached the customer, or still may."""
    pending = case.versions.filter(outcome="pending", deliverable__proposal=False)
    return not pending.exists() or any(
        not version.dispatches.exists()
        or version.dispatches.filter(bounced_at__isnull=True).exists()
        or version.dispatches.filter(opened_at__isnull=False).exists()
        for version in pending
    )


def move_interval(case: Case, at: datetime) -> None:
    """Close the running interval and open the next, if stage or ball have changed. Its working
    minutes are frozen then: later calendar edits do not rewrite them."""
    running = case.intervals.filter(until__isnull=True).first()
    if running is not None and (running.stage, running.ball) == (case.stage, case.ball):
        return
    since = at
    if running is not None:
        since = max(at, running.since)  # a mail counts from its arrival, which may be earlier
        running.until = since
        running.minutes = minutes_between(running.since, since, case.calendar.calendar)
        running.save(update_fields=["until", "minutes"])
    if Stage(case.stage) not in ENDED or case.ball != Ball.NOBODY:
        ClockInterval.objects.create(case=case, stage=case.stage, ball=case.ball, since=since)
