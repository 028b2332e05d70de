"""Rows read and written by few statements, and by statements whose SQL is made once.

Django writes the SQL of a statement anew each time, which costs three times what the database
takes to run it. So the statements that every mail and every act share are written here, with
Django's own fields, converters and models, and nothing else; and a page that needs twenty lists
asks for them together (docs/decisions/hot-statements.md). All else is asked as everywhere.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import Col, DatabaseDefault

Converter = Callable[[Any, Any, Any], Any]
Maker = Callable[[tuple[Any, ...]], models.Model | None]


def insert(*rows: models.Model) -> None:
    """Insert new rows of one model with one statement, and give each its id. Signals are not sent:
    there are none; a column left to the database stays for it to fill."""
    if not rows:
        return
    model = type(rows[0])
    fields, left = _columns(model), _left_to_database(rows[0])
    values: list[Any] = []
    for row in rows:
        for field in fields:
            if field.attname not in left:
                value = field.pre_save(row, add=True)
                values.append(field.get_db_prep_save(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(_insert_sql(model, left, len(rows)), values)
        for row, given in zip(rows, cursor.fetchall(), strict=True):
            row.pk = given[0]
            for name, value in zip(left, given[1:], strict=True):
                setattr(row, name, value)
            row._state.adding, row._state.db = False, connection.alias


def update(row: models.Model, *names: str) -> None:
    """Write a row's columns, by default all of them. A row that is not there any more raises
    the model's DoesNotExist."""
    model = type(row)
    values = [
        field.get_db_prep_save(field.pre_save(row, add=False), connection)
        for field in _named(model, names)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_update_sql(model, names), [*values, row.pk])
        if cursor.rowcount != 1:
            raise model.DoesNotExist(row.pk)  # type: ignore[attr-defined]


def read(
    rest: str, params: Sequence[Any], more: str = "", /, **aliases: type[models.Model]
) -> list[tuple[Any, ...]]:
    """Select whole records: one tuple for each row, with one record for each alias, in their order
    (None where an outer join found nothing), and at its end the column `more`. `rest` starts with
    `from`; neither names a value, those are the parameters."""
    statement, makers, end = _statement(rest, more, tuple(aliases.items()))
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    return [(*(make(row) for make in makers), *row[end:]) for row in rows]


def ask(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a plain statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def together(*querysets: models.QuerySet[Any, Any]) -> list[list[Any]]:
    """The records of several querysets, read by one statement: a page asks for all of its parts at
    once. Each may filter, order, limit and annotate; what it selects beside its own table
    (`select_related`) and prefetches is not read."""
    parts: list[str] = []
    params: list[Any] = []
    for queryset in querysets:
        try:
            query, values = queryset.select_related(None).query.sql_with_params()
        except EmptyResultSet:  # Django knows that nothing can be found
            parts.append("null")
            continue
        parts.append(f"(select json_agg(q) from ({query}) q)::text")
        params += values
    [row] = ask(f"select {', '.join(parts)}", params)
    return [_records(queryset, found) for queryset, found in zip(querysets, row, strict=True)]


def _records(queryset: models.QuerySet[Any, Any], found: str | None) -> list[Any]:
    if found is None:
        return []
    model, more = queryset.model, tuple(queryset.query.annotation_select)
    rows = json.loads(found, parse_float=_Exact)
    fields = [
        (field.attname, field.column, _from_json(field))
        for field in model._meta.concrete_fields
        if field.column in rows[0]  # deferred columns are not there
    ]
    names = [name for name, _column, _convert in fields]
    records = []
    for row in rows:
        values = [
            row[column] if convert is None or row[column] is None else convert(row[column])
            for _name, column, convert in fields
        ]
        record = model.from_db(connection.alias, names, values)
        for name in more:
            setattr(record, name, row[name])
        records.append(record)
    return records


class _Exact(float):
    """A number that remembers how it was written."""

    def __new__(cls, written: str) -> _Exact:
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str


def _from_json(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """What makes a value of this field out of what JSON has; nothing where they are the same."""
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    return _FROM_JSON.get(kind.get_internal_type())


_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "BinaryField": lambda value: bytes.fromhex(value[2:]),
    "DateField": date.fromisoformat,
    "DateTimeField": datetime.fromisoformat,
    "DecimalField": lambda value: Decimal(getattr(value, "written", value)),
}


@functools.cache
def _statement(
    rest: str, more: str, aliases: tuple[tuple[str, type[models.Model]], ...]
) -> tuple[str, list[Maker], int]:
    """The SQL, what makes its rows into records, and how many columns the records have."""
    listed: list[str] = []
    makers: list[Maker] = []
    for alias, model in aliases:
        makers.append(_maker(model, len(listed)))
        listed += [f'{alias}."{field.column}"' for field in model._meta.concrete_fields]
    columns = [*listed, more] if more else listed
    return f"select {', '.join(columns)} {rest}", makers, len(listed)


def _maker(model: type[models.Model], start: int) -> Maker:
    """What makes a record of a row's columns from `start` on."""
    fields = tuple(model._meta.concrete_fields)
    names, stop = [field.attname for field in fields], start + len(fields)
    key = start + next(n for n, field in enumerate(fields) if field.primary_key)
    converters = [(n, each) for n, field in enumerate(fields) for each in _converters(field)]

    def make(row: tuple[Any, ...]) -> models.Model | None:
        if row[key] is None:
            return None
        values = list(row[start:stop])
        for at, convert in converters:
            values[at] = convert(values[at], None, connection)
        return model.from_db(connection.alias, names, values)

    return make


def _converters(field: models.Field[Any, Any]) -> list[Converter]:
    expression = Col(field.model._meta.db_table, field)
    return [
        *connection.ops.get_db_converters(expression),
        *field.get_db_converters(connection),
    ]


@functools.cache
def _columns(model: type[models.Model]) -> tuple[models.Field[Any, Any], ...]:
    """The columns that are written: all but the number that the database gives as the key."""
    return tuple(
        field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)
    )


def _left_to_database(row: models.Model) -> tuple[str, ...]:
    return tuple(
        field.attname
        for field in _columns(type(row))
        if isinstance(getattr(row, field.attname), DatabaseDefault)
    )


@functools.cache
def _insert_sql(model: type[models.Model], left: tuple[str, ...], rows: int) -> str:
    fields = [field for field in _columns(model) if field.attname not in left]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    one = f"({', '.join(_placeholder(field) for field in fields)})"
    returned = ", ".join(
        f'"{column}"'
        for column in (
            model._meta.pk.column,
            *(field.column for field in _columns(model) if field.attname in left),
        )
    )
    return (
        f'insert into "{model._meta.db_table}" ({columns})'
        f" values {', '.join([one] * rows)} returning {returned}"
    )


@functools.cache
def _named(model: type[models.Model], names: tuple[str, ...]) -> list[models.Field[Any, Any]]:
    return [
        field
        for field in _columns(model)
        if not names or field.name in names or field.attname in names
    ]


@functools.cache
def _update_sql(model: type[models.Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(
        f'"{field.column}" = {_placeholder(field)}' for field in _named(model, names)
    )
    key = model._meta.pk.column
    return f'update "{model._meta.db_table}" set {columns} where "{key}" = %s'


def _placeholder(field: models.Field[Any, Any]) -> str:
    """How Django writes a value of this field; arrays and the like name their type."""
    if hasattr(field, "get_placeholder"):
        return str(field.get_placeholder(None, None, connection))
    return "%s"
