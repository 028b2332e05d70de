"""Keeping lists of the desk under a name, for oneself or for everybody of the firm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from ..models import Person, View
from ..policy import filters
from ..policy.fields import N_, InvalidField
from . import records
from .keeping import get_own, require_name, retire

VIEW = "view"  # subject of a Change row
MOST_VIEWS = 40

NAME_TAKEN = N_("you already have a view called “%(name)s”")
TOO_MANY_VIEWS = N_("you already have %(most)s views: retire one first")
UNREADABLE = N_("the filter has something that cannot be read: “%(word)s”")
QUERY_TOO_LONG = N_("the filter is too long")
NOT_A_COLUMN = N_("“%(value)s” is not a column of a list")
NOT_AN_ORDER = N_("“%(value)s” is not an order of a list")


@transaction.atomic
def keep_view(
    *,
    name: str,
    query: str,
    columns: Sequence[str],
    sort: str,
    shared: bool,
    by: Person,
    at: datetime,
) -> View:
    """Keep a list under a name: its query (in any language; kept in its canonical form), columns
    and order. `shared`: everybody of the firm sees it. Raises InvalidField."""
    Person.objects.select_for_update().get(pk=by.pk)
    if View.objects.in_use().filter(owner=by).count() >= MOST_VIEWS:
        raise InvalidField("name", TOO_MANY_VIEWS, most=MOST_VIEWS)
    view = View(owner=by, created_at=at)
    _describe(view, name, query, columns, sort, shared)
    view.save()
    records.note_change(
        VIEW, view.pk, "keep", by=by, at=at, fields=records.compare({}, _told(view))
    )
    return view


@transaction.atomic
def change_view(
    view: View,
    *,
    name: str,
    query: str,
    columns: Sequence[str],
    sort: str,
    shared: bool,
    by: Person,
    at: datetime,
) -> View:
    """Change a kept list, as a whole. What changes nothing is not noted. Raises InvalidField."""
    kept = get_own(view, by)
    before = _told(kept)
    _describe(kept, name, query, columns, sort, shared)
    fields = records.compare(before, _told(kept))
    if fields:
        kept.save()
        records.note_change(VIEW, kept.pk, "change", by=by, at=at, fields=fields)
    return kept


def retire_view(view: View, *, by: Person, at: datetime) -> View:
    """Take it out of use. Raises InvalidField."""
    return retire(view, VIEW, by=by, at=at)


def _describe(
    view: View, name: str, query: str, columns: Sequence[str], sort: str, shared: bool
) -> None:
    mine = View.objects.in_use().filter(owner=view.owner_id).exclude(pk=view.pk)
    view.name, view.query = require_name(name, mine, NAME_TAKEN), _require_query(query)
    view.columns, view.sort, view.shared = _require_columns(columns), sort, shared
    if sort not in filters.ORDERS:
        raise InvalidField("sort", NOT_AN_ORDER, value=sort)


def _require_columns(columns: Sequence[str]) -> list[str]:
    for column in columns:
        if column not in filters.COLUMNS:
            raise InvalidField("columns", NOT_A_COLUMN, value=column)
    return [column for column in filters.COLUMNS if column in columns]


def _require_query(text: str) -> str:
    found = filters.parse(text)
    if found.wrong:
        raise InvalidField("query", UNREADABLE, word=found.wrong[0].word)
    canonical = filters.write(found.query)
    if len(canonical) > filters.LONGEST:
        raise InvalidField("query", QUERY_TOO_LONG)
    return canonical


def _told(view: View) -> dict[str, object]:
    return {
        "name": view.name,
        "query": view.query,
        "columns": list(view.columns),
        "sort": view.sort,
        "shared": view.shared,
    }
