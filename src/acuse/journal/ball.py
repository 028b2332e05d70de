"""Who has to move next on a case, and the intervals in which each had to (P01, P04)."""

from __future__ import annotations

from datetime import datetime

from ..models import Addressee, Case, ClockInterval, Hold, LedgerLine, Outcome, TimeState, sql
from ..models.billing import IN_FORCE
from ..models.clocks import counting_versions
from ..models.roles import is_customer_side
from ..policy.kinds import KINDS
from ..policy.stages import ACTS, ENDED, FIRM_ROLES, STAGES, Ball, Role, Stage
from ..policy.targets import freeze


def holder(case: Case, roles: frozenset[Role], act: str) -> Ball:
    """Who holds the ball after this act. An open question overrides the stage; a customer's word
    on an ended case gives the ball to the firm until the firm has answered."""
    stage = Stage(case.stage)
    if not case.lines:  # just opened: nothing has been asked, delivered or charged yet
        return STAGES[stage].ball
    wait = case.waits.filter(ended_at__isnull=True).first()
    if wait is not None:
        third = wait.addressee == Addressee.THIRD_PARTY
        return Ball.THIRD_PARTY if third else Ball.CUSTOMER
    if stage is Stage.ACCEPTED:
        return Ball.FIRM if _claimed(case) else _settling_accounts(case) or STAGES[stage].ball
    if stage in ENDED:
        return _after_the_end(case, stage, roles, act)
    if stage in (Stage.PROPOSAL, Stage.DELIVERED) and not _awaits_customer(case, stage):
        return Ball.FIRM
    return STAGES[stage].ball


def _after_the_end(case: Case, stage: Stage, roles: frozenset[Role], act: str) -> Ball:
    if _claimed(case) or _unanswered(case, roles, act):
        return Ball.FIRM
    unsettled = _settling_accounts(case) if stage is Stage.CANCELLED else None
    return unsettled or STAGES[stage].ball


# What a customer says, what the firm answers it with, and what ends a case.
_WORDS = ("comment", "attach", "place_mail")
_ANSWERS = tuple(k.name for k in KINDS.values() if k.reaches) + ("attach", "request_change")
_ENDINGS = tuple(name for name, row in ACTS.items() if row.to & ENDED)


def _unanswered(case: Case, roles: frozenset[Role], act: str) -> bool:
    """Whether the customer's last word on an ended case still waits for the firm's answer."""
    if act == "place_mail" or (is_customer_side(roles) and act in _WORDS):
        return True
    if act in _ENDINGS or (roles & FIRM_ROLES and act in _ANSWERS):
        return False
    said = case.ledger.filter(kind__in={*_WORDS, *_ANSWERS, *_ENDINGS}).order_by("-seq")
    by_firm = ((line.kind, _is_firms(line)) for line in said.select_related("author"))
    kind, firm = next(x for x in by_firm if x[1] or x[0] in _WORDS or x[0] in _ENDINGS)
    return not firm and kind in _WORDS


def _is_firms(line: LedgerLine) -> bool:
    if line.kind == "place_mail":  # the words of whoever wrote the mail
        return bool(line.payload["side"] == "firm")
    return line.author is not None and line.author.is_firm


def _claimed(case: Case) -> bool:
    """Whether a warranty claim waits for its decision or its fix."""
    return case.claims.filter(fixed_at__isnull=True).exclude(covered=False).exists()


def _settling_accounts(case: Case) -> Ball | None:
    """The firm submits time and bills, the customer approves; None: there is nothing to settle."""
    time = case.time.current().filter(billable=True)
    if time.filter(state__in=[TimeState.LOGGED, TimeState.DISPUTED]).exists():
        return Ball.FIRM
    if time.filter(state=TimeState.SUBMITTED).exists():
        return Ball.CUSTOMER
    if time.approved_but_not_on(*IN_FORCE).exists():
        return Ball.FIRM
    return Ball.CUSTOMER if case.statements.filter(state="issued").exists() else None


def _awaits_customer(case: Case, stage: Stage) -> bool:
    """Whether the customer can still be expected to decide: some delivered copy has reached them
    or may yet, and its term is not on hold for a comment that the firm has to classify."""
    pending = case.versions.filter(
        outcome=Outcome.PENDING, deliverable__proposal=stage is Stage.PROPOSAL
    ).exclude(window__holds__in=Hold.objects.filter(ended_at__isnull=True))
    return any(
        not version.dispatches.exists()
        or version.dispatches.filter(bounced_at__isnull=True).exists()
        or version.dispatches.filter(opened_at__isnull=False).exists()
        for version in pending
    )


def move_interval(case: Case, at: datetime) -> None:
    """Close the running interval and open the next, if stage or ball have changed. Its working
    minutes are frozen then, as counted by the calendar as it stands: later edits do not rewrite
    them."""
    last = case.intervals.order_by("pk").last() if case.lines else None
    since = at
    if last is not None and last.until is None:
        if (last.stage, last.ball) == (case.stage, case.ball):
            return
        last.until = max(at, last.since)
        versions = counting_versions(case)
        calendars = tuple(version.calendar for version in versions)
        last.minutes, counting = freeze(last.since, last.until, calendars)
        last.calendar = versions[counting]
        last.save(update_fields=["until", "minutes", "calendar"])
    if last is not None and last.until is not None:
        since = max(at, last.until)  # a mail counts from its arrival, which may be earlier
    if Stage(case.stage) not in ENDED or case.ball != Ball.NOBODY:
        interval = ClockInterval(case=case, stage=case.stage, ball=case.ball, since=since)
        sql.insert(interval)
