"""Checklists: keys that hold through versions, rules told by row, what is missing (P13)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.checklists import (
    LONGEST,
    MOST_ITEMS,
    Item,
    from_json,
    missing,
    request_for,
    revise,
    to_json,
)
from acuse.policy.fields import InvalidField

TEXTS = st.lists(
    st.text("abcdefgh", min_size=1, max_size=3), max_size=8, unique_by=lambda text: text.casefold()
)


@given(versions=st.lists(TEXTS, max_size=6))
def test_no_key_is_ever_given_to_something_else(versions: list[list[str]]) -> None:
    items: tuple[Item, ...] = ()
    last_key, meaning = 0, {}
    for texts in versions:
        before = {item.text: item.key for item in items}
        items = revise(items, texts, last_key)
        assert [item.text for item in items] == texts
        assert len({item.key for item in items}) == len(items)
        for item in items:
            assert item.key == before.get(item.text, item.key)
            if item.text not in before:
                assert item.key > last_key  # not even one that was given up long ago
            meaning[item.key] = meaning.get(item.key, item.text)
            assert meaning[item.key] == item.text
        last_key = max([last_key, *(item.key for item in items)])
        assert from_json(json.loads(json.dumps(to_json(items)))) == items


def test_rows_without_words_are_left_out_and_space_is_plain() -> None:
    assert revise((), ["", "  Qué   pasa ", " "], 4) == (Item(5, "Qué pasa"),)
    assert revise((Item(1, "x"),), [], 1) == ()


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["Una", "", "una"], "items: row 3 says the same as row 1"),
        (["x" * (LONGEST + 1)], f"items: row 1 must have at most {LONGEST} characters"),
        ([str(n) for n in range(MOST_ITEMS + 1)], f"items: must have at most {MOST_ITEMS} rows"),
    ],
)
def test_a_rule_names_its_row(texts: list[str], told: str) -> None:
    with pytest.raises(InvalidField) as wrong:
        revise((), texts, 0)
    assert str(wrong.value) == told
    longest = ["x" * LONGEST, *(str(n) for n in range(MOST_ITEMS - 1))]
    assert len(revise((), longest, 0)) == MOST_ITEMS


@given(keys=st.sets(st.integers(1, 6)), ticked=st.sets(st.integers(1, 6)))
def test_what_is_not_ticked_is_missing_in_its_order(keys: set[int], ticked: set[int]) -> None:
    items = [Item(key, f"¿{key}?") for key in sorted(keys, reverse=True)]
    left = missing(items, ticked)
    assert [item.key for item in left] == sorted(keys - ticked, reverse=True)
    text = request_for("Falta:", left)
    assert text.splitlines() == (["Falta:", "", *(f"- ¿{i.key}?" for i in left)] if left else [])
