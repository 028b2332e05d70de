"""Variables of reply templates, mentions in notes, a message in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy.fields import InvalidField
from acuse.policy.mentions import Named, find_mentions
from acuse.policy.replies import VARIABLES, fill, require_known
from acuse.policy.splitting import MOST_PARTS, parts_of

ANA = Named(1, "Ana Ruiz", "ana@firma.example", True)
ANAB = Named(2, "Ana Torres", "atorres@firma.example", True)
OSCAR = Named(3, "Óscar Peña", "oscar@firma.example", True)
NORA = Named(4, "Nora Brisa", "nora@cliente.example", False)
PEOPLE = [ANA, ANAB, OSCAR, NORA]

plain = st.text(st.characters(exclude_characters="{}"), max_size=40)


@given(st.lists(st.one_of(plain, st.sampled_from(sorted(VARIABLES)).map("{{{{ {} }}}}".format))))
def test_known_variables_pass_and_are_all_replaced(parts: list[str]) -> None:
    text = "Hola " + " ".join(parts)
    assert require_known(text) == text.strip()
    filled = fill(text, dict.fromkeys(VARIABLES, "{{me}}"))
    assert filled.count("{{me}}") == sum(part.startswith("{{") for part in parts)
    assert "{{ " not in filled  # and what was put in is not read again


@pytest.mark.parametrize("name", ["nmae", "", "Number", "number.pk", "__class__"])
def test_an_unknown_variable_is_refused_by_its_word(name: str) -> None:
    with pytest.raises(InvalidField) as told:
        require_known("Hola {{reporter}}, {{ " + name + " }}")
    assert (told.value.field, told.value.params["word"]) == ("text", name)


def test_a_template_says_something() -> None:
    with pytest.raises(InvalidField):
        require_known(" \n ")


@pytest.mark.parametrize(
    ("text", "people", "unclear", "outside"),
    [
        ("@Ana Ruiz mira esto", (1,), (), ()),
        ("(@ana ruiz) y @ANA TORRES.", (1, 2), (), ()),
        ("¿@Ana?", (), ("ana",), ()),
        ("@Ana\nRuiz", (1,), (), ()),
        ("@oscar, @Óscar Peña, @OSCAR PENA", (3,), (), ()),
        ("@atorres: hola", (2,), (), ()),
        ("escriba a nora@cliente.example o x.@ana", (), (), ()),
        ("@Nora no debe saberlo", (), (), ("nora",)),
        ("@oscarin @nadie @ @@ana", (), (), ()),
    ],
)
def test_who_is_mentioned(
    text: str, people: tuple[int, ...], unclear: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    found = find_mentions(text, PEOPLE)
    assert (found.people, found.unclear, found.outside) == (people, unclear, outside)


@given(st.permutations(PEOPLE), st.lists(st.sampled_from([ANA, ANAB, OSCAR]), unique=True))
def test_whole_names_are_always_found(people: list[Named], meant: list[Named]) -> None:
    text = " / ".join(f"@{each.name}" for each in meant)
    assert find_mentions(text, people).people == tuple(each.person for each in meant)


@given(st.text(max_size=300), st.permutations(PEOPLE))
def test_any_text_is_read(text: str, people: list[Named]) -> None:
    assert set(find_mentions(text, people).people) <= {1, 2, 3}
    assert find_mentions(text, people) == find_mentions(text, PEOPLE)


def test_a_message_falls_into_paragraphs_else_lines_else_sentences() -> None:
    assert parts_of("Uno.\nDos.\n\n \nTres.") == ["Uno.\nDos.", "Tres."]
    assert parts_of("1) Uno\n2) Dos\n") == ["1) Uno", "2) Dos"]
    assert parts_of("No abre. ¿Y el informe? Gracias") == ["No abre.", "¿Y el informe?", "Gracias"]
    assert parts_of("Uno solo") == ["Uno solo"]
    assert parts_of("  ") == []


@given(st.text(st.sampled_from("ab.\n !?"), max_size=400))
def test_no_word_of_a_message_is_lost(text: str) -> None:
    parts = parts_of(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert len(parts) <= MOST_PARTS
