"""Lists of a form made longer and shorter by its own buttons: nothing of it needs a script.

`add_row=lines` adds an empty row to the list `lines`; `remove_row=lines-2` takes its third away.
"""

from __future__ import annotations

import re

from django.http import QueryDict

from acuse.policy.fields import find_int

from .base import MOST_ROWS

_REMOVED = re.compile(r"(\w+)-(\d{1,4})")
_COUNTS = ("TOTAL_FORMS", "INITIAL_FORMS")


def asks_for_edit(data: QueryDict) -> bool:
    """Whether a button of a list was pressed, and not that of the form."""
    return "add_row" in data or "remove_row" in data


def edited(data: QueryDict) -> QueryDict:
    """The data as the pressed button leaves them; what cannot be done changes nothing."""
    data = _with_another_row(data, data.get("add_row", ""))
    return _without_row(data, data.get("remove_row", ""))


def _count(data: QueryDict, prefix: str, name: str) -> int | None:
    found = str(data.get(f"{prefix}-{name}", ""))
    return find_int(found, 4)


def _with_another_row(data: QueryDict, prefix: str) -> QueryDict:
    count = _count(data, prefix, "TOTAL_FORMS")
    if count is None:
        return data
    data = data.copy()
    data[f"{prefix}-TOTAL_FORMS"] = str(min(MOST_ROWS, count + 1))
    return data


def _without_row(data: QueryDict, asked: str) -> QueryDict:
    """The rows behind the one that goes move up by one."""
    match = _REMOVED.fullmatch(asked)
    count = _count(data, match[1], "TOTAL_FORMS") if match else None
    if match is None or count is None or int(match[2]) >= min(count, MOST_ROWS):
        return data
    prefix, gone = match[1], int(match[2])
    field = re.compile(rf"{prefix}-(\d{{1,4}})-(\w+)")
    left = QueryDict(mutable=True)
    for name, values in data.lists():
        row = field.fullmatch(name)
        if row is None:
            left.setlist(name, values)
        elif int(row[1]) != gone:
            place = int(row[1]) - (int(row[1]) > gone)
            left.setlist(f"{prefix}-{place}-{row[2]}", values)
    for name in _COUNTS:
        there = _count(data, prefix, name)
        if there is not None and (name == "TOTAL_FORMS" or gone < there):
            left[f"{prefix}-{name}"] = str(there - 1)
    return left
