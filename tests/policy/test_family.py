"""A parent and its children: who may hang on whom, and that nothing of one customer's reaches
another (P15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.family import Member, find_leak, refusal_of
from acuse.policy.quoting import repeats

SAID = "desde ayer no imprime la factura electrónica de Cali"
NOTE = "ojo el cliente no ha pagado la última cuenta de cobro"
PARENT = Member(7, None, "", (), (NOTE,))
OURS = Member(17, 1, "Andina S.A.S.", (SAID,))
THEIRS = Member(18, 2, "Brisa", ("se cae",))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, ""),
        ({"itself": True, "has_parent": True}, "itself"),
        ({"has_parent": True, "has_children": True}, "has_parent"),
        ({"has_children": True}, "has_children"),
        ({"under": True}, "parent_is_child"),
    ],
)
def test_one_level_and_one_parent(facts: dict[str, bool], code: str) -> None:
    none = dict.fromkeys(("itself", "has_parent", "has_children", "under"), False)
    assert refusal_of(**(none | facts)) == code


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("Ya funciona. Gracias por avisar.", ""),
        ("Como en C-17, ya funciona.", "C-17"),
        ("Como en c17.", "C-17"),
        ("Como en C-170.", ""),
        ("Lo vio también ANDINA  s.a.s. ayer", "Andina S.A.S."),
        ("Con brisa marina no hay caso", "Brisa"),
        ("En Brisamar no", ""),
        ("Nos dicen: «Desde ayer no imprime la factura electrónica, de Cali»", "…"),
        ("El cliente no ha pagado la última cuenta de cobro", "…"),
        ("Ver C-7", "C-7"),
        ("Nos dicen que no imprime la factura", ""),
    ],
)
def test_what_belongs_to_one_is_not_said_to_two(text: str, leak: str) -> None:
    assert find_leak(text, [PARENT, OURS, THEIRS], {1, 2}) == leak


def test_to_its_own_customer_a_case_may_be_named_but_no_note() -> None:
    mine = Member(17, 1, "Andina", (SAID,), (NOTE,))
    assert find_leak(f"Andina, C-17: {SAID}", [mine, Member(19, 1, "Andina")], {1}) == ""
    assert find_leak(NOTE, [mine], {1}) == "…"
    assert find_leak("C-17", [mine], {None}) == "C-17"  # somebody of no customer reads along


SEVEN = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete"]
WORDS = st.lists(st.sampled_from(SEVEN), max_size=14)


@given(before=WORDS, kept=WORDS.filter(lambda words: len(words) >= 3), after=WORDS)
def test_whatever_is_quoted_whole_is_found(
    before: list[str], kept: list[str], after: list[str]
) -> None:
    quoted = "\n> ".join([" ".join(before), ", ".join(kept).upper(), " ".join(after)])
    assert repeats(quoted, [" ".join(kept)])
    member = Member(1, 1, "", (" ".join(kept),))
    assert find_leak(quoted, [member], {1, 2}) == "…"
    assert find_leak(quoted, [member], {1}) == ""
