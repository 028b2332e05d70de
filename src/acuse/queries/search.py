"""Search: cases by number, words or people; people and customers by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case as Choose
from django.db.models import IntegerField, Q, Value, When

from ..models import Case, Organisation, Person
from .case import with_facts
from .queue import Row, describe, with_next_term

MOST_WORDS = 8
MOST_ROWS = 30


@dataclass(frozen=True)
class Found:
    """What a search found, the best first."""

    cases: list[Row] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    customers: list[Organisation] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.cases or self.people or self.customers)


def search(person: Person, text: str, now: datetime) -> Found:
    """Everything this person may see that holds every word of the text; a case's own number
    comes first. Only the first report of a case is read, never an internal note."""
    terms = text.split()[:MOST_WORDS]
    if not terms:
        return Found()
    found = with_facts(with_next_term(Case.objects.visible_to(person)))
    by_number = Q(pk__in=_numbers(terms))
    cases = (
        found.filter(_all_words(terms, _CASE) | by_number)
        .annotate(
            rank=Choose(
                When(by_number, then=Value(0)), default=Value(1), output_field=IntegerField()
            )
        )
        .order_by("rank", "-opened_at", "-pk")
    )
    people = Person.objects.visible_to(person).filter(_all_words(terms, _PERSON))
    customers = Organisation.objects.visible_to(person).filter(_all_words(terms, ("name",)))
    return Found(
        describe(list(cases[:MOST_ROWS]), person, now),
        list(people.order_by("name", "pk")[:MOST_ROWS]),
        list(customers.filter(kind="customer").order_by("name")[:MOST_ROWS]),
    )


_CASE = ("search__subject", "search__body", "reporter__name", "reporter__email")
_PERSON = ("name", "email")


def _all_words(terms: list[str], columns: tuple[str, ...]) -> Q:
    """Every word occurs in one column or another, in any letter case."""
    every = Q()
    for term in terms:
        some = Q()
        for column in columns:
            some |= Q(**{f"{column}__icontains": term})
        every &= some
    return every


def _numbers(terms: list[str]) -> list[int]:
    """The case numbers among the words: C-17, c17 or 17."""
    digits = [term.upper().removeprefix("C").removeprefix("-") for term in terms]
    return [int(word) for word in digits if word.isdecimal() and len(word) <= 18]
