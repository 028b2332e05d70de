"""What the firm has before it: terms still to be met, comments to classify, what has
failed, and somebody's own time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from ..models import (
    Alarm,
    Case,
    Claim,
    Deadline,
    Decision,
    DecisionKind,
    Hold,
    MailState,
    Notice,
    NoticeState,
    Organisation,
    OrganisationKind,
    Outcome,
    Person,
    RawMail,
    TimeEntry,
    Version,
)
from ..policy.deadlines import DEADLINES, SPEAKS
from ..policy.stages import ENDED, Stage
from .sentence import Sentence, sentences
from .targets import open_target

# A reminder is no term of its own; an explicit answer that is overdue is.
TERM_KINDS = [
    *(kind.name for kind in DEADLINES.values() if kind.act not in SPEAKS),
    "answer_overdue",
]


def terms() -> QuerySet[Deadline]:
    """The terms still to be met: those that run, and those of the firm that have passed and not
    been made good since (a fired alarm sounds once; the term it is about stays missed)."""
    pending = Q(fired_at__isnull=True)
    return Deadline.objects.filter(pending | _missed(), kind__in=TERM_KINDS)


def _missed() -> Q:
    """Whether a fired alarm of the firm's still says something true."""
    newer_decision = Decision.objects.filter(
        case=OuterRef("case"), kind=DecisionKind.PROPOSAL, pk__gt=OuterRef("subject")
    )
    newer_version = Version.objects.filter(
        deliverable=OuterRef("deliverable"), number__gt=OuterRef("number"), withdrawn_at=None
    )
    rejected = Version.objects.filter(
        ~Exists(newer_version), pk=OuterRef("subject"), outcome=Outcome.REJECTED
    )
    unfixed = Claim.objects.filter(pk=OuterRef("subject"), fixed_at=None)
    running = ~Q(case__stage__in=ENDED)
    return Q(fired_at__isnull=False) & (
        Q(open_target("first_response"), kind="first_response")
        | Q(open_target("delivery"), kind="delivery")
        | Q(~Exists(newer_decision), kind="proposal_revision", case__stage=Stage.ESTIMATION)
        | Q(running, Exists(rejected), kind="correction")
        | Q(Exists(unfixed), kind="claim_correction")
    )


# Counted in hours: these end at a moment, all others at the end of a day.
_IN_HOURS = (
    "first_response",
    "delivery",
    "response_warning",
    "delivery_warning",
    "acceptance_reminder",
    "page",
)


def last_day_of(kind: str, due_at: datetime, case: Case) -> date | None:
    """The printed date of a term in days, in the contract's zone; None for one in hours. The
    instant at which a day ends (24:00) is already the next day's."""
    if kind in _IN_HOURS:
        return None
    return case.calendar.calendar.local_day(due_at - timedelta(microseconds=1))


@dataclass(frozen=True)
class DueTerm:
    """One term on the board: whose case, what falls due, and whether it has passed.

    `last_day`: the printed date of a term in days; one in hours has only its moment.
    """

    deadline: Deadline
    label: str
    late: bool
    last_day: date | None
    sentence: Sentence

    @property
    def case(self) -> Case:
        return self.deadline.case


def due_terms(person: Person, now: datetime, *, limit: int = 200) -> list[DueTerm]:
    """The terms of the cases that this person sees, earliest first: the missed ones lead."""
    rows = _with_case(terms().filter(failed_at__isnull=True), person)
    found = list(rows.order_by("due_at", "pk")[:limit])
    said = sentences({row.case_id: row.case for row in found}.values(), person)
    return [
        DueTerm(
            row,
            _(DEADLINES[row.kind].label),
            row.due_at <= now,
            last_day_of(row.kind, row.due_at, row.case),
            said[row.case_id],
        )
        for row in found
    ]


def _with_case(rows: QuerySet[Deadline], person: Person) -> QuerySet[Deadline]:
    return rows.filter(case__in=Case.objects.visible_to(person)).select_related(
        "case__organisation", "case__assignee", "case__calendar"
    )


def failed_deadlines(person: Person) -> list[Deadline]:
    """Deadlines set aside because firing them raised: each is an alarm."""
    rows = _with_case(Deadline.objects.filter(failed_at__isnull=False), person)
    return list(rows.filter(fired_at__isnull=True).order_by("due_at", "pk"))


def failed_notices(person: Person, *, limit: int = 200) -> list[Notice]:
    """Notices that did not reach somebody, newest first."""
    rows = Notice.objects.filter(state__in=[NoticeState.FAILED, NoticeState.BOUNCED])
    rows = rows.filter(case__in=Case.objects.visible_to(person))
    return list(rows.select_related("case", "line", "person").order_by("-pk")[:limit])


def comments_to_classify(person: Person) -> list[Hold]:
    """Comments that hold a term until somebody says whether they object, oldest first (P24)."""
    rows = Hold.objects.filter(
        ended_at__isnull=True, window__case__in=Case.objects.visible_to(person)
    )
    return list(
        rows.select_related(
            "message__author",
            "window__version__deliverable",
            "window__case__organisation",
            "window__case__assignee",
        ).order_by("since", "pk")
    )


WAITING = (MailState.RECEIVED, MailState.HELD, MailState.FAILED)


@dataclass(frozen=True)
class Alarms:
    """How many things wait outside the cases' own lists."""

    comments: int
    mail: int
    deadlines: int
    notices: int
    sounding: int

    @property
    def failed(self) -> int:
        return self.deadlines + self.notices


def alarms() -> Alarms:
    """The counts of the pages comments, mail, failures and mail health, in one query."""
    firm = Organisation.objects.filter(kind=OrganisationKind.FIRM)
    failed = Deadline.objects.filter(failed_at__isnull=False, fired_at__isnull=True)
    row = firm.values(
        comments=_count(Hold.objects.filter(ended_at__isnull=True)),
        mail=_count(RawMail.objects.filter(state__in=WAITING)),
        deadlines=_count(failed),
        notices=_count(Notice.objects.filter(state__in=[NoticeState.FAILED, NoticeState.BOUNCED])),
        sounding=_count(Alarm.objects.filter(cleared_at__isnull=True)),
    ).first()
    return Alarms(**row) if row is not None else Alarms(0, 0, 0, 0, 0)


def _count(rows: QuerySet[Any]) -> Coalesce:
    one = rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk"))
    return Coalesce(Subquery(one.values("n"), output_field=IntegerField()), 0)


@dataclass(frozen=True)
class MyTime:
    """Somebody's time in a stretch of days: the entries and what they add up to."""

    entries: list[TimeEntry]
    by_activity: list[tuple[str, int]]
    minutes: int
    billed_minutes: int


def time_of(person: Person, first: date, last: date) -> MyTime:
    """A person's own time entries with a day of work in [first, last], and their sums."""
    rows = TimeEntry.objects.current().filter(person=person, work_date__range=(first, last))
    entries = list(rows.select_related("case__organisation").order_by("-work_date", "-pk"))
    return MyTime(
        entries,
        _sums(entries),
        sum(entry.minutes for entry in entries),
        sum(entry.billed_minutes for entry in entries),
    )


def _sums(entries: Iterable[TimeEntry]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.activity] = sums.get(entry.activity, 0) + entry.minutes
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
