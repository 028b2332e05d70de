"""Sealed secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acuse.connectors.sealing import Unsealable, seal, unseal


@given(some.dictionaries(some.text(), some.text()), some.text())
def test_the_same_key_opens(secrets: dict[str, str], key: str) -> None:
    assert unseal(seal(secrets, key), key) == secrets


def test_another_key_does_not() -> None:
    with pytest.raises(Unsealable):
        unseal(seal({"password": "hush"}, "one"), "two")


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAABm", "contraseña"])
def test_what_was_never_sealed(sealed: str) -> None:
    with pytest.raises(Unsealable):
        unseal(sealed, "key")


def test_nothing_is_seen_from_outside() -> None:
    sealed = seal({"password": "hush"}, "key")
    assert "hush" not in sealed
    assert sealed != seal({"password": "hush"}, "key")
