"""What support has to know before it can work on a case: lists of questions by type (P13).

A list is published as a whole; a version of it never changes. An item keeps its key through all
versions of its list, and no key is ever given again, so that a tick says what was ticked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .fields import N_, InvalidField, read

MOST_ITEMS, LONGEST = 40, 200  # items, characters

EMPTY = N_("must not be empty")
TOO_LONG = N_("row %(row)s must have at most %(most)s characters")
TOO_MANY = N_("must have at most %(most)s rows")
TWICE = N_("row %(row)s says the same as row %(first)s")


@dataclass(frozen=True)
class Item:
    """One thing that has to be known. `key` names it through the versions of its list."""

    key: int
    text: str


def revise(before: Sequence[Item], texts: Iterable[str], last_key: int) -> tuple[Item, ...]:
    """The next version of a list, in the order of `texts`: what stood there before keeps its key,
    what is new gets one above `last_key`, the highest that the list ever had. Rows without words
    are left out; none at all retires the list. Raises InvalidField naming the row.
    """
    plain = [(row, " ".join(text.split())) for row, text in enumerate(texts, 1)]
    given = [(row, text) for row, text in plain if text]
    if len(given) > MOST_ITEMS:
        raise InvalidField("items", TOO_MANY, most=MOST_ITEMS)
    known = {item.text: item.key for item in before}
    first: dict[str, int] = {}
    items = []
    for row, text in given:
        if len(text) > LONGEST:
            raise InvalidField("items", TOO_LONG, row=row, most=LONGEST)
        same = first.setdefault(text.casefold(), row)
        if same != row:
            raise InvalidField("items", TWICE, row=row, first=same)
        if text not in known:
            last_key += 1
        items.append(Item(known.get(text, last_key), text))
    return tuple(items)


def missing(items: Iterable[Item], ticked: Collection[int]) -> list[Item]:
    """The items that nobody has ticked, in their order."""
    return [item for item in items if item.key not in ticked]


def request_for(opening: str, items: Sequence[Item]) -> str:
    """The text of a request for what is missing; nothing where nothing is."""
    if not items:
        return ""
    return "\n".join([opening, "", *(f"- {item.text}" for item in items)])


def to_json(items: Iterable[Item]) -> list[dict[str, object]]:
    """The items in plain types; `from_json` gives them back."""
    return [{"key": item.key, "text": item.text} for item in items]


def from_json(rows: Iterable[Mapping[str, object]]) -> tuple[Item, ...]:
    """The items that `to_json` wrote. Raises InvalidField."""
    return tuple(Item(read(row, "key", int), read(row, "text", str)) for row in rows)
