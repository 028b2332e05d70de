"""The manager's board: how the open cases lie on people and queues. Each number counts what a
filter of the inbox finds, and comes with that filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from ..models import Case, Person
from ..policy.fields import N_
from ..policy.filters import NOBODY, Query, Term, fold
from .lexicon import Lexicon
from .narrow import narrow
from .workload import DueTerm, due_terms

MOST_TERMS = 12

OPEN = Query((Term("state", ("open",)),))

# What is counted of the open cases, in the order of the columns.
MEASURES: dict[str, tuple[str, tuple[Term, ...]]] = {
    "open": (N_("Open"), ()),
    "firm": (N_("Our turn"), (Term("turn", ("firm",)),)),
    "customer": (N_("Waits for the customer"), (Term("turn", ("customer",)),)),
    "warned": (N_("Time running out"), (Term("with", ("warning",)),)),
    "late": (N_("Term passed"), (Term("with", ("late",)),)),
    "quiet": (N_("Nobody moved it"), (Term("without", ("movement",)),)),
}
ALARMING = ("warned", "late", "quiet")


@dataclass(frozen=True)
class Cell:
    """A number, the measure that it is of, and the filter that finds its cases."""

    measure: str
    count: int
    query: Query

    @property
    def alarming(self) -> bool:
        return bool(self.count) and self.measure in ALARMING


@dataclass(frozen=True)
class Line:
    """Whose or which cases, and their numbers in the order of MEASURES; `nobody`: those that have
    none; `others`: those of whoever is not listed any more."""

    label: str
    cells: list[Cell]
    nobody: bool = False
    others: bool = False

    @property
    def total(self) -> int:
        return self.cells[0].count


@dataclass(frozen=True)
class Board:
    """The whole: all open cases, by person, by queue; and the terms that end next."""

    whole: Line
    people: list[Line]
    queues: list[Line]
    terms: list[DueTerm]


Counts = Counter[str]


def read_board(person: Person, now: datetime, lexicon: Lexicon) -> Board:
    """The board of everything that this person sees: three queries beside the lexicon."""
    by_pair = _count(person, now, lexicon)
    people: dict[int | None, Counts] = {}
    queues: dict[int | None, Counts] = {}
    whole: Counts = Counter()
    for (assignee, queue), counts in by_pair.items():
        people.setdefault(assignee, Counter()).update(counts)
        queues.setdefault(queue, Counter()).update(counts)
        whole.update(counts)
    return Board(
        Line("", _cells(whole, ())),
        _lines("assignee", people, lexicon),
        _lines("queue", queues, lexicon),
        due_terms(person, now, limit=MOST_TERMS),
    )


def _count(
    person: Person, now: datetime, lexicon: Lexicon
) -> Mapping[tuple[int | None, int | None], Counts]:
    """Every measure of the open cases by assignee and queue, in one query."""

    def condition(*terms: Term) -> Q:
        return narrow(Query(terms), person, lexicon, now).condition

    counts = {
        code: Count("pk", filter=condition(*terms)) if terms else Count("pk")
        for code, (_label, terms) in MEASURES.items()
    }
    rows = Case.objects.visible_to(person).filter(condition(*OPEN.terms)).order_by()
    sums = {f"n_{code}": count for code, count in counts.items()}
    found = rows.values("assignee", "queue").annotate(**sums)
    return {
        (assignee, queue): Counter(dict(zip(MEASURES, numbers, strict=True)))
        for assignee, queue, *numbers in found.values_list("assignee", "queue", *sums)
    }


def _cells(counts: Counts, whose: Iterable[Term]) -> list[Cell]:
    return [
        Cell(code, counts[code], Query((*OPEN.parts, *whose, *terms)))
        for code, (_label, terms) in MEASURES.items()
    ]


def _lines(key: str, counts: Mapping[int | None, Counts], lexicon: Lexicon) -> list[Line]:
    """One line for each name in use and each that has cases, who has most first; names that are
    written alike are one line, as they are one filter. Last those without, and the rest."""
    by_name: dict[str, tuple[str, Counts]] = {}
    names, rest = lexicon.of(key), Counter(dict.fromkeys(MEASURES, 0))
    in_use = {pk for pk, _name in lexicon.in_use(key)}
    for pk, name in names.items():
        if pk in in_use or pk in counts:
            _label, sums = by_name.setdefault(fold(name), (name, Counter()))
            sums.update(counts.get(pk, Counter()))
    for whose, found in counts.items():
        if whose is not None and whose not in names:
            rest.update(found)
    lines = [
        Line(name, _cells(sums, [Term(key, (name,))]))
        for name, sums in sorted(by_name.values(), key=lambda row: -row[1]["open"])
    ]
    if None in counts:
        lines.append(Line("", _cells(counts[None], [_without(key)]), nobody=True))
    if rest["open"]:
        known = tuple(name for name, _sums in by_name.values())
        others = [Term(key, (NOBODY, *known), negated=True)]
        lines.append(Line("", _cells(rest, others), others=True))
    return lines


def _without(key: str) -> Term:
    return Term("without", (key,))
