"""The cases of a list as rows of a table, in words, in the reader's language and zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from ..models import Case, Person
from ..policy.fields import N_, InvalidField
from ..policy.filters import COLUMNS
from . import words
from .lexicon import read_lexicon
from .narrow import read_query
from .queue import Row, list_cases

SIZE = 200  # cases read at once

_BEFORE = (N_("Case"), N_("Subject"))
_AFTER = (N_("How it stands"), N_("Ended on"))


def header() -> list[str]:
    """The names of the columns."""
    return [_(label) for label in (*_BEFORE, *COLUMNS.values(), *_AFTER)]


def _condition(person: Person, query: str, now: datetime) -> Q:
    """What is not known any more is not left out: a list would have more than was asked for.
    Raises InvalidField."""
    found = read_query(query, person, read_lexicon(person), now)
    for wrong in found.wrong:
        raise InvalidField("query", wrong.rule, **wrong.params((get_language() or "es")[:2]))
    return found.condition


def count_cases(person: Person, query: str, now: datetime) -> int:
    """How many cases a query finds for a person. Raises InvalidField for what cannot be read."""
    return Case.objects.visible_to(person).filter(_condition(person, query, now)).count()


def export_cases(person: Person, query: str, now: datetime) -> Iterator[Sequence[str]]:
    """The cases that a query finds for a person, the oldest first, page by page. Raises
    InvalidField for what cannot be read."""
    condition, after = _condition(person, query, now), ""
    while True:
        page = list_cases(person, now, condition, order="oldest", after=after, size=SIZE)
        for row in page.rows:
            yield _cells(row)
        after = page.after
        if not after:
            return


def _cells(row: Row) -> list[str]:
    case = row.case
    ended = _moment(case.ended_at)
    middle = [_CELLS[column](row) for column in COLUMNS]
    return [case.number, case.subject, *middle, str(row.sentence), ended]


def _moment(at: datetime | None) -> str:
    zone = timezone.get_current_timezone()
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at is not None else ""


def _term(row: Row) -> str:
    if row.term is None:
        return ""
    when = row.term.last_day.isoformat() if row.term.last_day else _moment(row.term.due_at)
    return f"{row.term.label}: {when}"


_CELLS: dict[str, Callable[[Row], str]] = {
    "customer": lambda row: str(row.case.organisation or ""),
    "stage": lambda row: row.stage,
    "priority": lambda row: words.label(words.PRIORITIES, row.case.priority),
    "turn": lambda row: words.label(words.BALLS, row.case.ball),
    "term": _term,
    "assignee": lambda row: str(row.case.assignee or ""),
    "queue": lambda row: str(row.case.queue or ""),
    "level": lambda row: row.case.level.upper(),
    "type": lambda row: str(row.case.type or ""),
    "specialty": lambda row: str(row.case.specialty or ""),
    "module": lambda row: str(row.case.module or ""),
    "reporter": lambda row: str(row.case.reporter or ""),
    "opened": lambda row: _moment(row.case.opened_at),
}
