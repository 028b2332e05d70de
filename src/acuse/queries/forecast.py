"""What a report will be, before it is sent: its priority and what that means, and the times that
are committed for it (P09, P21, P22)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..models import Case, PolicyVersion
from ..policy.deadlines import DEADLINES
from ..policy.fields import N_
from ..policy.priority import Priority
from ..policy.targets import committed
from . import words
from .targets import why_no_clock

# What each priority means for whoever reports (P21, P22).
MEANINGS: dict[Priority, str] = {
    Priority.URGENT: N_("The whole operation stands still."),
    Priority.HIGH: N_("A process that the business depends on is affected."),
    Priority.MEDIUM: N_("Work is affected, while the business goes on."),
    Priority.LOW: N_("It hinders little, or it is a question."),
}


@dataclass(frozen=True)
class Committed:
    """One committed time: of what, how many minutes, and whether nights and holidays count."""

    label: str
    minutes: int
    round_the_clock: bool


@dataclass(frozen=True)
class Forecast:
    """The priority in words with its meaning (empty until both questions are answered), the
    committed times, or why there are none, and the policies that the case would follow."""

    priority: str
    meaning: str
    times: list[Committed]
    why_none: str
    contract: str
    policy: PolicyVersion


def forecast(case: Case) -> Forecast:
    """What to tell the reporter of the case that their report would open."""
    answered = bool(case.impact and case.urgency)
    row = (case.sla.rows.get(case.priority) or {}) if case.sla is not None else {}
    times = [
        Committed(_(DEADLINES[target.name].label), target.minutes, target.round_the_clock)
        for target in committed(row)
    ]
    return Forecast(
        priority=words.label(words.PRIORITIES, case.priority) if answered else "",
        meaning=_(MEANINGS[Priority(case.priority)]) if answered and case.sla is not None else "",
        times=times if answered else [],
        why_none=why_no_clock(case) if answered or case.sla is None else "",
        contract=case.contract.contract.name if case.contract is not None else "",
        policy=case.policy,
    )
