"""What the firm looks up about a case beside what it says: why it is covered, where its time
went, what falls due and by which rule, its estimates and the cases it is tied to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from ..models import (
    Case,
    CaseLink,
    ContractVersion,
    Deadline,
    Estimate,
    LedgerLine,
    LinkKind,
    Person,
)
from ..models.base import get_version
from ..models.clocks import counting_versions
from ..policy.deadlines import DEADLINES
from ..policy.fields import N_
from ..policy.targets import COLUMNS, WARNINGS, freeze
from ..policy.versions import PolicyParameters
from . import words
from .workload import last_day_of


@dataclass(frozen=True)
class Condition:
    """One condition of cover in words, and whether it is met."""

    text: str
    passed: bool


@dataclass(frozen=True)
class Examined:
    """One contract that was examined for the case: its name, the result, every condition."""

    contract: str
    covered: bool
    conditions: list[Condition]


def coverage_of(case: Case) -> list[Examined]:
    """Why the case is covered or not: every contract examined with every condition (P09)."""
    ids = [row["contract"] for row in case.coverage]
    versions: dict[int, ContractVersion] = {pk: get_version(ContractVersion, pk) for pk in ids}
    return [
        Examined(
            str(versions[row["contract"]]),
            row["covered"],
            [
                Condition(words.condition_label(c["code"], _said(c["params"])), c["passed"])
                for c in row["conditions"]
            ],
        )
        for row in case.coverage
    ]


def _said(params: Mapping[str, Any]) -> dict[str, object]:
    """The parameters of a condition as its sentence names them; nothing is an open end."""
    said: dict[str, object] = {}
    for name, value in params.items():
        if value is None:
            said[name] = _("without limit")
        elif name in ("starts_on", "last_day"):
            said[name] = words.long_date(value)
        elif name == "minutes_left":
            said[name] = max(0, value)
        else:
            said[name] = value
    return said


@dataclass(frozen=True)
class Stretch:
    """A stretch of the case's life: in which stage, who held the ball, for how many working
    minutes; `until` None while it runs."""

    stage: str
    ball: str
    since: datetime
    until: datetime | None
    minutes: int


def stretches(case: Case, now: datetime) -> list[Stretch]:
    """Where the time went, oldest first. Closed minutes are as they were frozen (P01)."""
    calendars = tuple(version.calendar for version in counting_versions(case))
    return [
        Stretch(
            words.stage_label(row.stage, firm=True),
            row.ball,
            row.since,
            row.until,
            freeze(row.since, max(now, row.since), calendars)[0]
            if row.until is None
            else row.minutes or 0,
        )
        for row in sorted(case.intervals.all(), key=lambda row: (row.since, row.pk))
    ]


def by_holder(found: list[Stretch]) -> list[tuple[str, int]]:
    """The working minutes that each held the ball, the longest first."""
    sums: dict[str, int] = {}
    for stretch in found:
        sums[stretch.ball] = sums.get(stretch.ball, 0) + stretch.minutes
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


# What each kind of deadline is counted from, in words; the clauses stand in policy/deadlines.py.
WHY = {
    "first_response": N_(
        "Committed for this priority: %(time)s of working time from the report (%(sla)s)."
    ),
    "delivery": N_(
        "Committed for this priority: %(time)s of the firm's own working time (%(sla)s). While "
        "somebody else holds the ball it stands still."
    ),
    "response_warning": N_("%(percent)s %% of the time committed to the first response (%(sla)s)."),
    "delivery_warning": N_("%(percent)s %% of the time committed to the delivery (%(sla)s)."),
    "page": N_("Urgent out of hours: until somebody acknowledges, the next in the chain is paged."),
    "acceptance": N_(
        "%(days)s business days from the proven delivery; the day of the delivery does not count."
    ),
    "proposal_acceptance": N_(
        "%(days)s business days from the proven delivery; the day of the delivery does not count."
    ),
    "acceptance_reminder": N_("Some business days before the customer's term ends."),
    "answer_overdue": N_("The term has no silence: only an explicit answer ends it."),
    "hold_reminder": N_("One business day after the comment that holds the term."),
    "proposal_revision": N_("%(days)s business days from the rejection of the proposal."),
    "correction": N_("%(days)s business days from the rejection."),
    "claim_correction": N_("%(days)s business days from the decision on the claim."),
    "warranty_end": N_(
        "%(days)s calendar days from the delivery of the accepted version, on to a business day."
    ),
    "wait_reminder": N_("Some business days after the question."),
    "wait_lapse": N_(
        "%(days)s business days after the question, if the customer says nothing: it cancels the "
        "case."
    ),
    "authorization_reminder": N_("Some business days after the proposal was accepted."),
    "authorization_lapse": N_("%(days)s business days after the proposal was accepted."),
    "time_reminder": N_("Some business days after the time was submitted."),
    "statement_reminder": N_("Some business days after the statement was issued."),
    "satisfaction": N_("%(days)s business days after the close."),
}


@dataclass(frozen=True)
class Falling:
    """Something that falls due on the case: what, when, by which rule and clauses."""

    label: str
    due_at: datetime
    last_day: date | None
    why: str
    clauses: str
    fired_at: datetime | None
    error: str


def falling_due(case: Case) -> list[Falling]:
    """Everything that falls due or has fallen due on the case, the next first."""
    rows = sorted(case.deadlines.all(), key=lambda r: (bool(r.fired_at), r.due_at, r.pk))
    return [_falling(case, row) for row in rows]


def _falling(case: Case, row: Deadline) -> Falling:
    kind = DEADLINES[row.kind]
    return Falling(
        _(kind.label),
        row.due_at,
        last_day_of(row.kind, row.due_at, case),
        _(WHY[row.kind]) % {**_measure(case, row.kind), "percent": row.step},
        " ".join(kind.clauses),
        row.fired_at,
        row.error.strip().splitlines()[-1] if row.error else "",
    )


def _measure(case: Case, kind: str) -> dict[str, object]:
    """How long the term is: of the SLA table the case is pinned to, or of its policy version."""
    if kind in WARNINGS.values():
        return {"sla": case.sla or "—"}
    if kind in COLUMNS:
        row = (case.sla.rows.get(case.priority) or {}) if case.sla is not None else {}
        return {"time": words.minutes(row.get(COLUMNS[kind]) or 0), "sla": case.sla or "—"}
    return {"days": _days(case.policy.rules, kind)}


def _days(rules: PolicyParameters, kind: str) -> int | None:
    return {
        "acceptance": rules.acceptance_days,
        "proposal_acceptance": rules.acceptance_days,
        "proposal_revision": rules.proposal_revision_days,
        "correction": rules.correction_days,
        "claim_correction": rules.claim_correction_days,
        "warranty_end": rules.warranty_days,
        "authorization_lapse": rules.authorization_lapses_after_days,
        "satisfaction": rules.satisfaction_days,
        "wait_lapse": rules.wait_cancel_days,
    }.get(kind)


def estimates_of(case: Case) -> list[Estimate]:
    """The versions of the estimate with lines, planned deliveries and validations, newest first."""
    return sorted(case.estimates.all(), key=lambda estimate: -estimate.number)


@dataclass(frozen=True)
class Linked:
    """Another case and what it is to this one; `towards`: this one points to it."""

    case: Case
    kind: str
    towards: bool
    on: date


def linked_to(case: Case, links: Iterable[CaseLink]) -> list[Linked]:
    """The cases that this one has to do with, by its links read with both ends."""
    return [
        Linked(
            row.other if row.case_id == case.pk else row.case,
            words.label(words.LINKS, _link_kind(row, case)),
            row.case_id == case.pk,
            case.calendar.calendar.local_day(row.at),
        )
        for row in links
    ]


def _link_kind(row: CaseLink, case: Case) -> str:
    """Of a parent and what hangs on it, each end has its own word."""
    carries = row.kind == LinkKind.PARENT and row.other_id == case.pk
    return "child" if carries else row.kind


def followers_of(case: Case) -> list[Person]:
    """Who follows the case beside its reporter, by name."""
    following = [row.person for row in case.watchers.all() if row.until is None]
    return sorted(following, key=lambda person: (person.name, person.pk))


@dataclass(frozen=True)
class Event:
    """One line of the ledger as a sentence, and the stage it led to where that is another one."""

    line: LedgerLine
    text: str
    stage: str


def events(timeline: list[tuple[LedgerLine, str]]) -> list[Event]:
    """The ledger for the desk, newest first."""
    return [
        Event(
            line,
            text,
            words.stage_label(line.stage_to, firm=True) if line.stage_to != line.stage_from else "",
        )
        for line, text in reversed(timeline)
    ]
