"""The lists at the left of the inbox, each with a count that is true up to 999; all counts come
from one query, whatever the lists ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from ..models import Case, Person, View
from ..policy import filters
from ..policy.fields import N_
from ..policy.filters import Query, Term, parse
from .lexicon import Lexicon
from .narrow import Narrowed, narrow, read_query

MOST_COUNTED = 999
USUAL_VIEW = "open"

# The lists that everybody has: a name, and what each asks for.
VIEWS: dict[str, tuple[str, Query]] = {
    code: (label, parse(query).query)
    for code, label, query in (
        ("mine", N_("Assigned to me"), "state:open assignee:me"),
        ("unassigned", N_("Without assignee"), "state:open assignee:nobody"),
        ("firm", N_("Our turn"), "turn:firm"),
        ("customer", N_("The customer's turn"), "turn:customer"),
        ("third_party", N_("A third party's turn"), "turn:third_party"),
        ("classify", N_("With a comment to classify"), "with:comment"),
        ("warned", N_("Committed time running out"), "state:open with:warning"),
        ("unbound", N_("Without customer"), "state:open without:customer"),
        ("open", N_("All open"), "state:open"),
        ("ended", N_("Ended"), "state:ended"),
    )
}


@dataclass(frozen=True)
class Shelf:
    """One list: its code ("mine", a kept view's id, a queue's id), its name, what it asks for, and
    how many cases it holds: at most MOST_COUNTED + 1; None where it asks what cannot be read."""

    code: str
    label: str
    query: Query
    count: int | None
    shared: bool = False

    @property
    def figure(self) -> str:
        return count_words(self.count)


@dataclass(frozen=True)
class Shelves:
    """All lists of one person's inbox; `total` counts the list that is open."""

    views: list[Shelf]
    kept: list[Shelf]
    queues: list[Shelf]
    total: int


def count_words(count: int | None) -> str:
    """A count as it is shown: 7, or 999+ for all that is more."""
    if count is None:
        return "—"
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


def views_of(person: Person) -> list[View]:
    """The kept views of a person, their own first, then those that others share."""
    rows = View.objects.visible_to(person).in_use().select_related("owner")
    return sorted(rows, key=lambda v: (v.owner_id != person.pk, filters.fold(v.name), v.pk))


def read_shelves(
    person: Person, now: datetime, lexicon: Lexicon, kept: list[View], asked: Q
) -> Shelves:
    """Every list with its count, and the count of what is asked for: one query."""
    own = {code: query for code, (_label, query) in VIEWS.items()}
    saved = {f"view {view.pk}": read_query(view.query, person, lexicon, now) for view in kept}
    names = lexicon.of("queue")
    queues = {
        f"queue {pk}": Query((Term("state", ("open",)), Term("queue", (name,))))
        for pk, name in names.items()
    }
    conditions = {"asked": asked}
    for code, query in {**own, **queues}.items():
        conditions[code] = narrow(query, person, lexicon, now).condition
    conditions |= {code: found.condition for code, found in saved.items() if not found.wrong}
    counts = count_all(person, conditions)
    return Shelves(
        [Shelf(code, _(VIEWS[code][0]), query, counts[code]) for code, query in own.items()],
        [_shelf_of(view, saved, counts) for view in kept],
        [
            Shelf(str(pk), name, queues[f"queue {pk}"], counts[f"queue {pk}"])
            for pk, name in names.items()
            if counts[f"queue {pk}"] or ("queue", pk) not in lexicon.retired
        ],
        counts["asked"],
    )


def _shelf_of(view: View, saved: Mapping[str, Narrowed], counts: Mapping[str, int]) -> Shelf:
    code = f"view {view.pk}"
    return Shelf(str(view.pk), view.name, saved[code].query, counts.get(code), view.shared)


def count_all(person: Person, conditions: Mapping[str, Q]) -> dict[str, int]:
    """How many cases that this person sees meet each condition, counted up to MOST_COUNTED + 1:
    one query, which stops counting each where the figure is no longer shown."""
    seen = Case.objects.visible_to(person)
    counts = dict.fromkeys(conditions, 0)
    asked: list[str] = []
    parts: list[str] = []
    params: list[Any] = []
    for code, condition in conditions.items():
        rows = seen.filter(condition).order_by().values("pk")[: MOST_COUNTED + 1]
        try:
            sql, given = rows.query.sql_with_params()
        except EmptyResultSet:
            continue
        asked.append(code)
        parts.append(f"(select count(*) from ({sql}) as found)")
        params += given
    if parts:
        with connection.cursor() as cursor:
            cursor.execute("select " + ", ".join(parts), params)
            counts |= dict(zip(asked, cursor.fetchone(), strict=True))
    return counts
