"""The desk's lists of cases: what is asked for, in an order, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Case as Choose
from django.db.models import (
    DateTimeField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import gettext as _

from ..models import Case, Person
from ..policy.deadlines import DEADLINES
from ..policy.fields import N_, InvalidField
from ..policy.filters import ORDERS
from ..policy.priority import Priority
from ..policy.targets import WARNINGS
from . import words
from .case import with_facts
from .sentence import Sentence, sentences
from .targets import warned_percent
from .workload import last_day_of, terms

PAGE = 50
FAR = datetime(9999, 1, 1, tzinfo=UTC)  # after every term, for cases without one

UNKNOWN_ORDER = N_("“%(value)s” is not an order of this list")
NOT_A_PLACE = N_("“%(value)s” is not a place in this list")


@dataclass(frozen=True)
class NextTerm:
    """The term of a case that ends first, and whether it has passed without being met; `last_day`
    is the printed date of a term in days, `warned` the percent of a committed time that the firm
    has been warned of."""

    label: str
    due_at: datetime
    last_day: date | None
    late: bool
    warned: int | None = None


@dataclass(frozen=True)
class Row:
    """One case in a list."""

    case: Case
    sentence: Sentence
    stage: str
    term: NextTerm | None


@dataclass(frozen=True)
class Page:
    """A page of a list: its rows, and the place to go on from (empty at the end)."""

    rows: list[Row]
    after: str


def list_cases(
    person: Person,
    now: datetime,
    condition: Q | None = None,
    *,
    order: str = "due",
    after: str = "",
    size: int = PAGE,
) -> Page:
    """A page of the cases of a condition that this person sees, from the place `after` (of the
    page before). Raises InvalidField for an unknown order or place. Two queries, however many
    cases."""
    rows = _ordered(Case.objects.visible_to(person).filter(condition or Q()), order)
    if after:
        value, pk = _read_place(after, order)
        later = Q(place__gt=value) | Q(place=value, pk__gt=pk)
        if order == "newest":
            later = Q(place__lt=value) | Q(place=value, pk__lt=pk)
        rows = rows.filter(later)
    cases = list(with_facts(with_next_term(rows))[: size + 1])
    shown = cases[:size]
    return Page(describe(shown, person, now), _place(shown[-1]) if len(cases) > size else "")


def describe(cases: list[Case], person: Person, now: datetime) -> list[Row]:
    """Cases loaded by `with_next_term` as rows of a list: one query for the sentences."""
    said = sentences(cases, person)
    return [
        Row(
            case,
            said[case.pk],
            words.stage_label(case.stage, firm=person.is_firm),
            _term(case, now),
        )
        for case in cases
    ]


def _ordered(found: QuerySet[Case], order: str) -> QuerySet[Case]:
    """The cases with their place in the order, as microseconds or a rank."""
    if order not in ORDERS:
        raise InvalidField("order", UNKNOWN_ORDER, value=order)
    if order == "newest":
        return found.annotate(place=F("opened_at")).order_by("-place", "-pk")
    if order == "oldest":
        return found.annotate(place=F("opened_at")).order_by("place", "pk")
    ends = Coalesce(
        Subquery(_terms_of_case().values("due_at")[:1]), Value(FAR, output_field=DateTimeField())
    )
    if order == "due":
        return found.annotate(place=ends).order_by("place", "pk")
    ranks = [When(priority=priority, then=Value(n)) for n, priority in enumerate(Priority)]
    place = Choose(*ranks, output_field=IntegerField())
    return found.annotate(place=place).order_by("place", "pk")


def _terms_of_case() -> QuerySet[Any]:
    return terms().filter(case=OuterRef("pk")).order_by("due_at", "pk")


def with_next_term(cases: QuerySet[Case]) -> QuerySet[Case]:
    """The cases with the term of each that ends first, as `describe` reads it."""
    first = _terms_of_case().values(json=JSONObject(kind="kind", due_at="due_at"))[:1]
    return cases.annotate(next_term=Subquery(first), warned=warned_percent())


def _term(case: Case, now: datetime) -> NextTerm | None:
    found: dict[str, str] | None = case.next_term  # type: ignore[attr-defined]
    if found is None:
        return None
    kind, due_at = found["kind"], datetime.fromisoformat(found["due_at"])
    return NextTerm(
        _(DEADLINES[kind].label),
        due_at,
        last_day_of(kind, due_at, case),
        due_at <= now,
        case.warned if kind in WARNINGS else None,  # type: ignore[attr-defined]
    )


def _place(case: Case) -> str:
    value = case.place  # type: ignore[attr-defined]
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"{text}_{case.pk}"


def _read_place(text: str, order: str) -> tuple[datetime | int, int]:
    value, _sep, pk = text.rpartition("_")
    try:
        place = int(value) if order == "priority" else datetime.fromisoformat(value)
        if (isinstance(place, datetime) and place.tzinfo is None) or len(pk) > 18:
            raise ValueError(text)
        return place, int(pk)
    except ValueError:
        raise InvalidField("after", NOT_A_PLACE, value=text) from None
