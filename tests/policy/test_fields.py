"""Numbers that an address or a form wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.fields import find_int


@given(st.integers(0, 10**18 - 1))
def test_a_number_that_a_key_can_hold_is_read(number: int) -> None:
    assert find_int(str(number)) == number


@given(st.text())
def test_anything_else_is_nothing_and_never_an_error(text: str) -> None:
    found = find_int(text)
    assert found is None or 0 <= found < 10**18


@pytest.mark.parametrize("text", ["", "²", "٣", "-1", "1.0", " 1", "1\0", "9" * 19, "9" * 5000])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert find_int(text) is None


def test_a_shorter_limit_holds() -> None:
    assert find_int("9999", 4) == 9999
    assert find_int("10000", 4) is None
