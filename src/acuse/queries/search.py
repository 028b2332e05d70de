"""Search: cases by number, words or people; people and customers by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case as Choose
from django.db.models import CharField, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf

from ..models import Case, Organisation, OrganisationKind, Person
from .case import with_facts
from .narrow import numbers, one_word
from .queue import Row, describe, with_next_term

MOST_WORDS = 8
MOST_ROWS, MOST_HITS = 30, 8  # of each kind: on the page, in the palette


@dataclass(frozen=True)
class Found:
    """What a search found, the best first."""

    cases: list[Row] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    customers: list[Organisation] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.cases or self.people or self.customers)


@dataclass(frozen=True)
class Hit:
    """One thing that was found, in one line. `kind`: case, person or customer; `pk` its id."""

    kind: str
    pk: int
    title: str
    detail: str

    @property
    def number(self) -> str:
        """Of a case: the number that people use."""
        return f"C-{self.pk}"


def search(person: Person, text: str, now: datetime) -> Found:
    """Everything this person may see that holds every word of the text; a case's own number
    comes first. Only the first report of a case is read, never an internal note."""
    terms = split_words(text)
    if not terms:
        return Found()
    cases = with_facts(with_next_term(_cases(person, terms)))
    return Found(
        describe(list(cases[:MOST_ROWS]), person, now),
        list(_people(person, terms)[:MOST_ROWS]),
        list(_customers(person, terms)[:MOST_ROWS]),
    )


def find_briefly(person: Person, text: str) -> list[Hit]:
    """The best of what `search` finds, each in one line: cases, then people, then customers. One
    query."""
    terms = split_words(text)
    if not terms:
        return []
    found = _lines(Case, _cases(person, terms), 0, F("subject"), F("organisation__name")).union(
        _lines(Person, _people(person, terms).order_by("pk"), 1, _NAME, F("email")),
        _lines(Organisation, _customers(person, terms), 2, F("name"), Value("")),
        all=True,
    )
    named = numbers(terms)
    rows = sorted(found, key=lambda row: (row["of"], *_place_of(row, named)))
    return [Hit(_KINDS[row["of"]], row["id"], row["title"], row["detail"] or "") for row in rows]


_KINDS = ("case", "person", "customer")
_NAME = Coalesce(NullIf(F("name"), Value("")), F("email"))


def _lines(model: Any, found: QuerySet[Any], of: int, title: Any, detail: Any) -> QuerySet[Any]:
    best = model.objects.filter(pk__in=found.values("pk")[:MOST_HITS]).order_by()
    return best.annotate(
        of=Value(of, output_field=IntegerField()),
        title=Cast(title, CharField()),
        detail=Cast(detail, CharField()),
    ).values("of", "id", "title", "detail")


def _place_of(row: dict[str, Any], named: list[int]) -> tuple[bool, str, int]:
    """Among its kind: a case by its own number first, then the newest; all else by name."""
    if row["of"] == 0:
        return row["id"] not in named, "", -row["id"]
    return False, row["title"].casefold(), row["id"]


def split_words(text: str) -> list[str]:
    """The words that are looked for: what comes after the eighth is not."""
    return text.replace("\0", " ").split()[:MOST_WORDS]


def _cases(person: Person, terms: list[str]) -> QuerySet[Case]:
    by_number = Q(pk__in=numbers(terms))
    every = Q()
    for term in terms:
        every &= one_word(term)
    rank = Choose(When(by_number, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = Case.objects.visible_to(person).filter(every | by_number)
    return found.annotate(rank=rank).order_by("rank", "-opened_at", "-pk")


def _people(person: Person, terms: list[str]) -> QuerySet[Person]:
    found = Person.objects.visible_to(person).filter(_all_words(terms, ("name", "email")))
    return found.order_by("name", "pk")


def _customers(person: Person, terms: list[str]) -> QuerySet[Organisation]:
    found = Organisation.objects.visible_to(person).filter(_all_words(terms, ("name",)))
    return found.filter(kind=OrganisationKind.CUSTOMER).order_by("name")


def _all_words(terms: list[str], columns: tuple[str, ...]) -> Q:
    """Every word occurs in one column or another, in any letter case."""
    every = Q()
    for term in terms:
        some = Q()
        for column in columns:
            some |= Q(**{f"{column}__icontains": term})
        every &= some
    return every
