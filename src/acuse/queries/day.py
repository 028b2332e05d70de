"""A person's day: their cases by term, their timers, their time that is not approved, and what
waits for them. Five queries, however many rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from ..models import Case, LedgerLine, Notice, Person, TimeEntry, Timer, TimeState, Wait, sql
from ..models.billing import OPEN_STATES
from ..policy.stages import ENDED
from . import words
from .notices import Entry
from .queue import Page, list_cases
from .timers import Ticking, ticking

MOST_CASES, MOST_NOTICES, MOST_ENTRIES, MOST_WAITS = 50, 12, 40, 20


@dataclass(frozen=True)
class Unapproved:
    """Time entries that the customer has not approved, the oldest first, and what all of those
    that are shown add up to in minutes, as worked, by state."""

    entries: list[TimeEntry]
    by_state: list[tuple[str, int]]
    more: bool


@dataclass(frozen=True)
class Day:
    """What somebody's page of the day shows. `stopped`: timers whose time was neither logged nor
    thrown away; `asked`: their own questions that nobody has answered; `told`: their unread
    notices, newest first."""

    cases: Page
    running: Ticking | None
    stopped: list[Ticking]
    time: Unapproved
    asked: list[Wait]
    told: list[Entry]


def day_of(person: Person, now: datetime) -> Day:
    """Everything of somebody's day at this moment."""
    mine = Q(assignee=person) & ~Q(stage__in=ENDED)
    cases = list_cases(person, now, mine, size=MOST_CASES)
    timers, entries, waits, notices = _parts(person)
    shown = [ticking(timer, now) for timer in timers]
    said = words.line_sentences(notice.line for notice in notices)
    return Day(
        cases,
        next((row for row in shown if row.timer.stopped_at is None), None),
        [row for row in shown if row.timer.stopped_at is not None],
        _unapproved(entries),
        waits,
        [Entry(notice, said[notice.line_id]) for notice in notices],
    )


def _parts(person: Person) -> tuple[list[Timer], list[TimeEntry], list[Wait], list[Notice]]:
    """The person's own rows in one statement; their cases, and the notices' lines, in two."""
    timers, entries, waits, notices = sql.together(
        Timer.objects.of(person).unsettled().order_by("started_at", "pk"),
        TimeEntry.objects.filter(person=person, state__in=OPEN_STATES, billable=True).order_by(
            "work_date", "pk"
        )[: MOST_ENTRIES + 1],
        Wait.objects.filter(asked_by=person, ended_at__isnull=True).order_by("asked_at", "pk")[
            :MOST_WAITS
        ],
        Notice.objects.visible_to(person)
        .filter(read_at__isnull=True)
        .order_by("-pk")[:MOST_NOTICES],
    )
    rows = [*timers, *entries, *waits, *notices]
    cases = Case.objects.visible_to(person).select_related("organisation", "contract")
    known = cases.in_bulk({row.case_id for row in rows})
    for row in rows:
        row.case = known[row.case_id]
    told = LedgerLine.objects.select_related("author")
    lines = told.in_bulk([notice.line_id for notice in notices]) if notices else {}
    for notice in notices:
        notice.line = lines[notice.line_id]
    return timers, entries, waits, notices


def _unapproved(entries: list[TimeEntry]) -> Unapproved:
    shown = entries[:MOST_ENTRIES]
    sums = [
        (state, sum(entry.minutes for entry in shown if entry.state == state))
        for state in TimeState
    ]
    return Unapproved(
        shown, [(state, total) for state, total in sums if total], len(entries) > MOST_ENTRIES
    )
