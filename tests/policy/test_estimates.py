"""Versions of an estimate compared: nothing is lost, and the minutes add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.estimates import Item, Mark, Sheet, Work, compare, compare_words, number_rows

WORDS = st.text(alphabet="ab ñ,\n", max_size=20)
LINES = st.lists(
    st.builds(
        Work,
        st.integers(1, 6),
        WORDS,
        st.sampled_from(["execution", "meeting"]),
        st.sampled_from(["", "ABAP"]),
        st.integers(1, 5000),
    ),
    unique_by=lambda line: line.key,
    max_size=6,
)
ITEMS = st.lists(
    st.builds(Item, st.integers(1, 4), st.just("development"), WORDS),
    unique_by=lambda item: item.key,
)
SHEETS = st.builds(Sheet, st.integers(1, 9), st.fixed_dictionaries({"scope": WORDS}), LINES, ITEMS)


@given(SHEETS, SHEETS)
def test_every_line_stands_once_and_the_minutes_add_up(before: Sheet, after: Sheet) -> None:
    found = compare(before, after)
    assert sum(change.by for change in found.lines) == found.by == after.minutes - before.minutes
    assert [c.before for c in found.lines if c.before is not None and c.after is None] == [
        line for line in before.lines if line.key not in {other.key for other in after.lines}
    ]
    assert [c.after for c in found.lines if c.after is not None] == list(after.lines)
    assert {c.before.key for c in found.lines if c.before} == {line.key for line in before.lines}
    for change in found.lines:
        assert (change.mark is Mark.ADDED) == (change.before is None)
        assert (change.mark is Mark.REMOVED) == (change.after is None)
        if change.before and change.after:
            assert (change.mark is Mark.SAME) == (change.before == change.after)
        assert change.line in (change.before, change.after)
    assert len(found.items) == len({item.key for item in [*before.items, *after.items]})


@given(SHEETS)
def test_a_version_differs_in_nothing_from_itself(sheet: Sheet) -> None:
    assert compare(sheet, sheet).same
    assert compare(sheet, sheet).by == 0


@given(SHEETS, SHEETS)
def test_there_and_back_is_the_contrary(before: Sheet, after: Sheet) -> None:
    there, back = compare(before, after), compare(after, before)
    assert there.by == -back.by
    assert there.same == back.same
    assert sorted(change.by for change in there.lines) == sorted(-c.by for c in back.lines)


@given(WORDS, WORDS)
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = compare_words(before, after)
    assert "".join(p.text for p in pieces if p.mark is not Mark.ADDED) == before
    assert "".join(p.text for p in pieces if p.mark is not Mark.REMOVED) == after
    assert all(piece.text for piece in pieces)


def test_only_the_words_that_changed_are_marked() -> None:
    found = compare_words("Corregir la impresión.", "Corregir toda la impresión!")
    assert [(str(piece.mark), piece.text) for piece in found] == [
        ("same", "Corregir"),
        ("added", " toda"),
        ("same", " la impresión"),
        ("removed", "."),
        ("added", "!"),
    ]


@given(st.lists(st.integers(-2, 9), max_size=8), st.integers(0, 6))
def test_rows_keep_their_keys_and_new_ones_get_unused_ones(
    given_keys: list[int], used: int
) -> None:
    keys = number_rows(given_keys, used)
    assert len(set(keys)) == len(keys) == len(given_keys)
    for asked, key in zip(given_keys, keys, strict=True):
        assert key == asked or key > used
    for place, asked in enumerate(given_keys):
        if 1 <= asked <= used and asked not in given_keys[:place]:
            assert keys[place] == asked
