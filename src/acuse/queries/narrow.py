"""A query of the desk (policy/filters.py) as a condition on cases."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q

from ..models import CalendarVersion, Hold, LedgerLine, Person, Wait
from ..models.base import get_version
from ..models.preferences import zone_of
from ..policy import filters
from ..policy.authors import AuthorKind
from ..policy.fields import find_int
from ..policy.filters import ME, NOBODY, Query, Term, Word, Wrong
from ..policy.quiet import quiet_before
from ..policy.stages import ENDED, Ball
from .lexicon import Lexicon
from .targets import at_risk
from .workload import terms

MOST_NEAR = 12  # names told beside one that is not known

_OPEN = ~Q(stage__in=ENDED)


def _holds() -> Q:
    held = Hold.objects.filter(window__case=OuterRef("pk"), ended_at__isnull=True)
    return Q(Exists(held))


def _asked() -> Q:
    return Q(Exists(Wait.objects.filter(case=OuterRef("pk"), ended_at__isnull=True)))


def _has_term() -> Q:
    return Q(Exists(terms().filter(case=OuterRef("pk"))))


_TURNS = {
    "firm": Q(ball__in=[Ball.FIRM, Ball.BOTH]),
    "customer": Q(ball__in=[Ball.CUSTOMER, Ball.BOTH]),
    "third_party": Q(ball=Ball.THIRD_PARTY),
    NOBODY: Q(ball=Ball.NOBODY),
}
_WITHOUT: dict[str, Callable[[], Q]] = {
    "reply": lambda: Q(first_response_at__isnull=True),
    "assignee": lambda: Q(assignee__isnull=True),
    "customer": lambda: Q(organisation__isnull=True),
    "queue": lambda: Q(queue__isnull=True),
    "type": lambda: Q(type__isnull=True),
    "classification": lambda: Q(classified_at__isnull=True),
    "term": lambda: ~_has_term(),
}
_COLUMNS = {
    "customer": "organisation",
    "queue": "queue",
    "type": "type",
    "module": "module",
    "specialty": "specialty",
    "assignee": "assignee",
}


@dataclass(frozen=True)
class Narrowed:
    """What is asked for, as a query and as a condition; and what of it could not be understood."""

    query: Query
    condition: Q
    wrong: tuple[Wrong, ...] = ()


def read_query(text: str, person: Person, lexicon: Lexicon, now: datetime) -> Narrowed:
    """What somebody wrote, as a condition; names that nobody has are told like all else that
    cannot be read."""
    found = filters.parse(text)
    narrowed = narrow(found.query, person, lexicon, now)
    return Narrowed(found.query, narrowed.condition, found.wrong + narrowed.wrong)


def narrow(query: Query, person: Person, lexicon: Lexicon, now: datetime) -> Narrowed:
    """The condition of a query as this person reads it ("me", days in their zone)."""
    reader = _Reader(person, lexicon, now)
    condition = Q()
    for part in query.parts:
        found = reader.word(part) if isinstance(part, Word) else reader.term(part)
        if found is not None:
            condition &= ~found if part.negated else found
    return Narrowed(query, condition, tuple(reader.wrong))


_TEXTS = ("search__subject", "search__body", "reporter__name", "reporter__email")


def one_word(word: str) -> Q:
    """Cases with a word in their first report or its reporter's name, in any letter case. An
    internal note is never read."""
    some = Q()
    for column in _TEXTS:
        some |= Q(**{f"{column}__icontains": word})
    return some


def numbers(words: list[str]) -> list[int]:
    """The case numbers among the words: C-17, c17 or 17."""
    digits = [word.upper().removeprefix("C").removeprefix("-") for word in words]
    return [found for word in digits if (found := find_int(word)) is not None]


class _Reader:
    """Who asks, what names there are, and what was not understood so far."""

    def __init__(self, person: Person, lexicon: Lexicon, now: datetime) -> None:
        self.person, self.lexicon, self.now = person, lexicon, now
        self.wrong: list[Wrong] = []

    def word(self, word: Word) -> Q:
        """A word of the case's text or of its reporter's name; or its number."""
        return one_word(word.text) | Q(pk__in=numbers([word.text]))

    def term(self, term: Term) -> Q | None:
        """Any of the values; None where none of them is known."""
        found = [self._one(term.key, value) for value in term.values]
        known = [condition for condition in found if condition is not None]
        whole = Q()
        for condition in known:
            whole |= condition
        return whole if known else None

    def _one(self, key: str, value: str) -> Q | None:
        if key in _COLUMNS:
            return self._named(key, value)
        return getattr(self, f"_{key}")(value)

    def _named(self, key: str, value: str) -> Q | None:
        column = _COLUMNS[key]
        if value == NOBODY and key == "assignee":
            return Q(**{f"{column}__isnull": True})
        if value == ME and key == "assignee":
            return Q(**{column: self.person.pk})
        names = self.lexicon.of(key)
        ids = filters.names_like(value, names)
        if not ids:
            self.wrong.append(_unknown(key, value, names))
            return None
        return Q(**{f"{column}__in": ids})

    def _state(self, value: str) -> Q:
        return _OPEN if value == "open" else Q(stage__in=ENDED)

    def _stage(self, value: str) -> Q:
        return Q(stage=value)

    def _priority(self, value: str) -> Q:
        return Q(priority=value)

    def _level(self, value: str) -> Q:
        return Q(level=value)

    def _turn(self, value: str) -> Q:
        return _TURNS[value]

    def _without(self, value: str) -> Q:
        return self._quiet() if value == "movement" else _WITHOUT[value]()

    def _quiet(self) -> Q:
        """Open cases on which no person has done anything for days, by each case's calendar."""
        found = Q(pk__in=[])
        for pk in self.lexicon.of("calendar"):
            calendar: CalendarVersion = get_version(CalendarVersion, pk)
            since = quiet_before(calendar.calendar, self.now)
            moved = LedgerLine.objects.filter(
                case=OuterRef("pk"), author_kind=AuthorKind.PERSON, at__gte=since
            )
            found |= Q(calendar=pk) & ~Q(Exists(moved))
        return _OPEN & found

    def _with(self, value: str) -> Q:
        if value == "late":
            return Q(Exists(terms().filter(case=OuterRef("pk"), due_at__lte=self.now)))
        return {"comment": _holds, "question": _asked, "warning": lambda: Q(at_risk())}[value]()

    def _reporter(self, value: str) -> Q:
        core = value.strip("*").strip()
        return Q(reporter__name__icontains=core) | Q(reporter__email__icontains=core)

    def _opened(self, value: str) -> Q:
        zone = zoneinfo.ZoneInfo(zone_of(self.person))
        first, last = filters.days_between(value)
        found = Q()
        if first is not None:
            found &= Q(opened_at__gte=datetime.combine(first, time(), zone))
        if last is not None:
            found &= Q(opened_at__lt=datetime.combine(last, time(), zone) + timedelta(days=1))
        return found


def _unknown(key: str, value: str, names: dict[int, str]) -> Wrong:
    """A name that nobody has, with those that it could have been."""
    core = filters.fold(value)[:3]
    near = [name for name in names.values() if core and core in filters.fold(name)]
    told = tuple((near or list(names.values()))[:MOST_NEAR])
    return Wrong(filters.UNKNOWN_NAME if told else filters.NO_NAME_LIKE, value, key, told)
