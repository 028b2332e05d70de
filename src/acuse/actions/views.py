"""Keeping lists of the desk under a name, for oneself or for everybody of the firm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from ..models import Person, View
from ..policy import filters
from ..policy.fields import N_, InvalidField
from . import records

VIEW = "view"  # subject of a Change row
MOST_VIEWS, LONGEST_NAME = 40, 60

NAME_REQUIRED = N_("give it a name")
NAME_TOO_LONG = N_("must have at most %(most)s characters")
NAME_TAKEN = N_("you already have a view called “%(name)s”")
TOO_MANY_VIEWS = N_("you already have %(most)s views: retire one first")
UNREADABLE = N_("the filter has something that cannot be read: “%(word)s”")
QUERY_TOO_LONG = N_("the filter is too long")
NOT_A_COLUMN = N_("“%(value)s” is not a column of a list")
NOT_AN_ORDER = N_("“%(value)s” is not an order of a list")
NOT_YOURS = N_("only who keeps it, or for a shared one a manager, may change it")


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
    kept = _get_own(view, by)
    before = _told(kept)
    _describe(kept, name, query, columns, sort, shared)
    fields = records.compare(before, _told(kept))
    if fields:
        kept.save()
        records.note_change(VIEW, kept.pk, "change", by=by, at=at, fields=fields)
    return kept


@transaction.atomic
def retire_view(view: View, *, by: Person, at: datetime) -> View:
    """Take a kept list out of use. One that is retired already stays as it is. Raises
    InvalidField."""
    kept = _get_own(view, by)
    if kept.retired_at is None:
        kept.retired_at = at
        kept.save(update_fields=["retired_at"])
        records.note_change(VIEW, kept.pk, "retire", by=by, at=at)
    return kept


def may_change(view: View, person: Person) -> bool:
    """Whether a person may change or retire a view: their own, or as a manager a shared one."""
    return view.owner_id == person.pk or (view.shared and person.is_manager)


def _get_own(view: View, by: Person) -> View:
    kept = View.objects.select_for_update().get(pk=view.pk)
    if not may_change(kept, by):
        raise InvalidField("name", NOT_YOURS)
    return kept


def _describe(
    view: View, name: str, query: str, columns: Sequence[str], sort: str, shared: bool
) -> None:
    view.name, view.query = _require_name(view, name), _require_query(query)
    view.columns, view.sort, view.shared = _require_columns(columns), sort, shared
    if sort not in filters.ORDERS:
        raise InvalidField("sort", NOT_AN_ORDER, value=sort)


def _require_columns(columns: Sequence[str]) -> list[str]:
    for column in columns:
        if column not in filters.COLUMNS:
            raise InvalidField("columns", NOT_A_COLUMN, value=column)
    return [column for column in filters.COLUMNS if column in columns]


def _require_name(view: View, name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise InvalidField("name", NAME_REQUIRED)
    if len(plain) > LONGEST_NAME:
        raise InvalidField("name", NAME_TOO_LONG, most=LONGEST_NAME)
    others = View.objects.in_use().filter(owner=view.owner_id, name=plain).exclude(pk=view.pk)
    if others.exists():
        raise InvalidField("name", NAME_TAKEN, name=plain)
    return plain


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
