"""Two versions of an estimate side by side: what was added, taken away and changed, and by how many
minutes (P17)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TypeVar

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Mark(StrEnum):
    """What became of a line, or of a stretch of words, from one version to the next."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"  # of lines only


@dataclass(frozen=True)
class Work:
    """A line as one version has it; `key` names the same line in all versions of a case."""

    key: int
    description: str
    activity: str
    specialty: str
    minutes: int


@dataclass(frozen=True)
class Item:
    """Something to be delivered as one version has it."""

    key: int
    kind: str
    title: str


@dataclass(frozen=True)
class Sheet:
    """A version of an estimate: its words by name (scope, exclusions, assumptions), its lines and
    what is to be delivered."""

    number: int
    words: dict[str, str] = field(default_factory=dict)
    lines: Sequence[Work] = ()
    items: Sequence[Item] = ()

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines)


@dataclass(frozen=True)
class Piece:
    """A stretch of words and what became of it."""

    mark: Mark
    text: str


@dataclass(frozen=True)
class LineChange:
    """One line in both versions (None where it is not in one). `description`: its words with what
    changed in them marked; `by`: the minutes more (negative: fewer)."""

    mark: Mark
    before: Work | None
    after: Work | None
    description: list[Piece]

    @property
    def by(self) -> int:
        return (self.after.minutes if self.after else 0) - (
            self.before.minutes if self.before else 0
        )

    @property
    def line(self) -> Work:
        """The line as it is now, or as it was where it is no more."""
        line = self.after or self.before
        assert line is not None
        return line


@dataclass(frozen=True)
class ItemChange:
    """Something to be delivered in both versions."""

    mark: Mark
    item: Item
    title: list[Piece]


@dataclass(frozen=True)
class Comparison:
    """Everything between two versions. The minutes of the lines' changes add up to `by`."""

    before: Sheet
    after: Sheet
    lines: list[LineChange]
    items: list[ItemChange]
    words: dict[str, list[Piece]]

    @property
    def by(self) -> int:
        """The minutes that the later version has more (negative: fewer)."""
        return self.after.minutes - self.before.minutes

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        marks = [line.mark for line in self.lines]
        marks += [item.mark for item in self.items]
        marks += [piece.mark for pieces in self.words.values() for piece in pieces]
        return all(mark is Mark.SAME for mark in marks)


def compare(before: Sheet, after: Sheet) -> Comparison:
    """What became of one version in another: the lines of the later one in its order, then those
    that it has no more."""
    names = dict.fromkeys([*before.words, *after.words])
    return Comparison(
        before,
        after,
        [_line_change(*pair) for pair in _pairs(before.lines, after.lines)],
        [_item_change(*pair) for pair in _pairs(before.items, after.items)],
        {
            name: compare_words(before.words.get(name, ""), after.words.get(name, ""))
            for name in names
        },
    )


Row = TypeVar("Row", Work, Item)


def _pairs(before: Iterable[Row], after: Iterable[Row]) -> list[tuple[Row | None, Row | None]]:
    was = {row.key: row for row in before}
    found: list[tuple[Row | None, Row | None]] = [(was.pop(row.key, None), row) for row in after]
    return found + [(row, None) for row in was.values()]


def _line_change(before: Work | None, after: Work | None) -> LineChange:
    described = compare_words(
        before.description if before else "", after.description if after else ""
    )
    return LineChange(_mark(before, after), before, after, described)


def _item_change(before: Item | None, after: Item | None) -> ItemChange:
    item = after or before
    assert item is not None
    titled = compare_words(before.title if before else "", after.title if after else "")
    return ItemChange(_mark(before, after), item, titled)


def _mark(before: object, after: object) -> Mark:
    if before is None:
        return Mark.ADDED
    if after is None:
        return Mark.REMOVED
    return Mark.SAME if before == after else Mark.CHANGED


def compare_words(before: str, after: str) -> list[Piece]:
    """The words of both texts in one row: what stayed, what was taken away, what was added. The
    same and the removed pieces make the first text, the same and the added ones the second."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces: list[Piece] = []
    for how, start, stop, first, last in SequenceMatcher(None, old, new, False).get_opcodes():
        if how == "equal":
            pieces.append(Piece(Mark.SAME, "".join(old[start:stop])))
            continue
        if start < stop:
            pieces.append(Piece(Mark.REMOVED, "".join(old[start:stop])))
        if first < last:
            pieces.append(Piece(Mark.ADDED, "".join(new[first:last])))
    return pieces


def number_rows(given: Sequence[int], used: int) -> list[int]:
    """The key of each row of a new version: its own where it names one of the `used` ones (1 to
    `used`, all that earlier versions have had) and no row before it does, else the next that was
    never used."""
    taken: set[int] = set()
    fresh, keys = used, []
    for key in given:
        if not 1 <= key <= used or key in taken:
            fresh += 1
            key = fresh
        taken.add(key)
        keys.append(key)
    return keys
