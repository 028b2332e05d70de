"""The committed times of cases: how their clocks stand, and which cases have been warned of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    BigIntegerField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from ..models import Case, Deadline
from ..models.clocks import clocks_of
from ..policy.deadlines import DEADLINES
from ..policy.fields import N_
from ..policy.stages import ENDED, Ball, Stage
from ..policy.targets import COLUMNS, COUNTING, WARNINGS, Clock

_UNDELIVERED = COUNTING | {Stage.CORRECTION, Stage.CANCELLED}

# Who has to move while a clock stands still. The firm: only when it has to correct.
WHY_PAUSED = {
    Ball.FIRM: N_("the correction has a term of its own (P26)"),
    Ball.CUSTOMER: N_("the customer has to move"),
    Ball.BOTH: N_("both sides have to move"),
    Ball.THIRD_PARTY: N_("a third party has to move"),
    Ball.NOBODY: N_("nobody has to move"),
}

NO_CONTRACT = N_("No contract covers it: Low priority, no committed times (P22).")
NO_TABLE = N_("The contract %(contract)s commits no times: Low priority (P22).")
NO_ROW = N_("The table %(sla)s commits no times for this priority.")


@dataclass(frozen=True)
class ClockState:
    """How one committed time stands. Minutes: `used` + `left` make the `minutes` of the target;
    negative `left`: so many too many. `percent` is what has been used of it, 100 at most.

    met: it was answered or delivered, in time unless `missed`. due_at: None while the clock
    stands still with time left; then `paused_since` and `why` say since when and why.
    """

    label: str
    minutes: int
    round_the_clock: bool
    used: int
    left: int
    percent: int
    met: bool
    missed: bool
    due_at: datetime | None
    paused_since: datetime | None
    why: str

    @property
    def over(self) -> int:
        """The minutes beyond the target."""
        return max(0, -self.left)


def clock_states(case: Case, now: datetime) -> list[ClockState]:
    """How every committed time of the case stands at this moment; none without any (P21)."""
    return [_state(case, clock, now) for clock in clocks_of(case)]


def _state(case: Case, clock: Clock, now: datetime) -> ClockState:
    target, stage = clock.target, Stage(case.stage)
    answered_at = case.first_response_at if target.name == "first_response" else None
    delivered = target.name == "delivery" and stage not in _UNDELIVERED
    met = answered_at is not None or delivered
    until = answered_at or now
    due_at = clock.due_at
    paused = None if met or stage in ENDED else clock.paused
    used = clock.used(until)
    return ClockState(
        label=_(DEADLINES[target.name].label),
        minutes=target.minutes,
        round_the_clock=target.round_the_clock,
        used=used,
        left=target.minutes - used,
        percent=min(100, used * 100 // target.minutes),
        met=met,
        missed=due_at is not None and due_at <= until,
        due_at=due_at,
        paused_since=paused.since if paused is not None else None,
        why=_(WHY_PAUSED[clock.stretches[-1].ball]) if paused is not None else "",
    )


def why_no_clock(case: Case) -> str:
    """Why nothing is committed for the case, in words (P22); nothing where something is."""
    if case.contract is None:
        return _(NO_CONTRACT)
    if case.sla is None:
        return _(NO_TABLE) % {"contract": case.contract}
    row = case.sla.rows.get(case.priority) or {}
    if not any(row.get(column) for column in COLUMNS.values()):
        return _(NO_ROW) % {"sla": case.sla}
    return ""


def open_target(name: str) -> Q:
    """Of deadline rows: whether their case still waits for what this target commits, and whether
    it is the target of the priority that the case has now (`subject` is its minutes)."""
    still = {
        "first_response": Q(case__first_response_at=None) & ~Q(case__stage__in=ENDED),
        "delivery": Q(case__stage__in=COUNTING),
    }[name]
    committed = Func(
        F("case__sla__rows"),
        F("case__priority"),
        Value(COLUMNS[name]),
        function="jsonb_extract_path_text",
        output_field=TextField(),
    )
    return still & Q(subject=Cast(committed, BigIntegerField()))


def _sounded() -> QuerySet[Deadline]:
    """The warnings and misses of committed times that have fired and still say something true."""
    said = Q()
    for name, warning in WARNINGS.items():
        said |= Q(open_target(name), kind__in=[name, warning])
    return Deadline.objects.filter(said, fired_at__isnull=False)


def at_risk() -> Exists:
    """Of cases: whether a warning of a committed time, or its miss, still stands."""
    return Exists(_sounded().filter(case=OuterRef("pk")))


def warned_percent() -> Subquery:
    """Of cases: the highest percent of a committed time that they have been warned of and that
    still stands; None without any."""
    mine = _sounded().filter(case=OuterRef("pk"), kind__in=WARNINGS.values())
    return Subquery(mine.order_by("-step").values("step")[:1])
