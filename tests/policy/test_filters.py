"""The readable query: three languages, one canonical form, everything wrong told and nothing
raised."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acuse.policy import filters
from acuse.policy.filters import (
    KEYS,
    LANGUAGES,
    Query,
    Term,
    Word,
    Wrong,
    days_between,
    fold,
    names_like,
    parse,
    value_word,
    without_key,
    write,
)
from acuse.policy.priority import Priority
from acuse.policy.stages import Stage

words = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1)
plain = words.map(lambda text: " ".join(text.split())).filter(lambda text: 0 < len(text) < 30)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(str)


@st.composite
def ranges(draw: st.DrawFn) -> str:
    first, last = sorted((draw(days), draw(days)))
    return draw(st.sampled_from([first, f"{first}..", f"..{last}", f"{first}..{last}"]))


@st.composite
def terms(draw: st.DrawFn) -> Term:
    code = draw(st.sampled_from(sorted(KEYS)))
    key = KEYS[code]
    kinds = [st.sampled_from(sorted(key.values))] if key.values else []
    if key.named:
        special = filters._VALUE_OF[code]
        kinds.append(plain.filter(lambda name: fold(name) not in special))
    if key.days:
        kinds.append(ranges())
    values = draw(st.lists(st.one_of(kinds), min_size=1, max_size=3))
    return Term(code, tuple(str(value) for value in values), draw(st.booleans()))


queries = st.lists(st.one_of(terms(), st.builds(Word, plain, st.booleans())), max_size=6).map(
    lambda parts: Query(tuple(parts))
)


@given(queries, st.sampled_from([*LANGUAGES, ""]))
@example(Query((Word("-"), Word("--", True), Word('"'), Word("\\"), Word("a:b"))), "es")
@example(Query((Term("customer", ('Andina, "la grande"', "x\\"), True),)), "pt")
def test_what_is_written_is_read_back_as_the_same(query: Query, language: str) -> None:
    text = write(query, language)
    if len(text) <= filters.LONGEST:
        assert parse(text) == filters.Parsed(query)


@given(st.text(max_size=1200))
@example('"')
@example('cliente:"sin cerrar')
@example("etapa:,,,")
@example("a" * 1100)
@example("::: -: -- x:y:z")
def test_no_text_raises_and_what_was_read_can_be_written(text: str) -> None:
    found = parse(text)
    for language in LANGUAGES:
        for wrong in found.wrong:
            assert wrong.rule % wrong.params(language)
        again = write(found.query, language)
        if len(again) <= filters.LONGEST:
            assert parse(again) == filters.Parsed(found.query)


@given(st.text('abeijklnos:-," *áé\\.0123456789', max_size=60))
def test_signs_of_the_grammar_in_any_order_neither(text: str) -> None:
    found = parse(text)
    assert parse(write(found.query)).query == found.query


def test_the_same_query_in_three_languages() -> None:
    spanish = 'etapa:diagnóstico asignado:yo prioridad:alta cliente:"Andina" sin:respuesta -cola:N2'
    english = "stage:diagnosis assignee:me priority:high customer:Andina without:reply -queue:N2"
    portuguese = (
        "ETAPA:Diagnostico responsavel:eu prioridade:ALTA cliente:Andina sem:resposta -fila:N2"
    )
    read = [parse(text) for text in (spanish, english, portuguese)]
    assert read[0] == read[1] == read[2]
    assert read[0].wrong == ()
    assert write(read[0].query) == english
    assert write(read[0].query, "es") == spanish.replace('"', "")


def test_every_code_has_its_words_in_every_language() -> None:
    assert set(KEYS["stage"].values) == set(Stage)
    assert set(KEYS["priority"].values) == set(Priority)
    for code, key in KEYS.items():
        assert len(key.words) == 3
        assert key.values or key.named or key.days
        for value in key.values:
            for language in LANGUAGES:
                shown = f"{filters.key_word(code, language)}:{value_word(code, value, language)}"
                assert parse(shown).query == Query((Term(code, (value,)),)), shown


def test_two_meanings_of_one_word_are_no_vocabulary() -> None:
    with pytest.raises(RuntimeError, match="alta"):
        filters._understood({"high": ("alta", "high", "alta"), "low": ("alta", "low", "baixa")})


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("color:rojo", Wrong(filters.UNKNOWN_KEY, "color")),
        ("etapa:nada", Wrong(filters.UNKNOWN_VALUE, "nada", "stage")),
        ("etapa:", Wrong(filters.NO_VALUE, "etapa:", "stage")),
        ('cliente:""', Wrong(filters.NO_NAME, "cliente:", "customer")),
        ("creado:", Wrong(filters.NOT_DAYS, "creado:", "opened")),
        ("creado:ayer", Wrong(filters.NOT_DAYS, "ayer", "opened")),
        ("creado:2026-02-30", Wrong(filters.NOT_DAYS, "2026-02-30", "opened")),
        ("creado:..", Wrong(filters.NOT_DAYS, "..", "opened")),
        ("creado:2026-11-172026-11-18", Wrong(filters.NOT_DAYS, "2026-11-172026-11-18", "opened")),
        ("creado:9999-12-31", Wrong(filters.NOT_DAYS, "9999-12-31", "opened")),
        (
            "creado:2026-11-18..2026-11-17",
            Wrong(filters.NOT_DAYS, "2026-11-18..2026-11-17", "opened"),
        ),
    ],
)
def test_what_is_wrong_is_named_and_left_out(text: str, wrong: Wrong) -> None:
    found = parse(f"impresora {text} -fax")
    assert found.wrong == (wrong,)
    assert found.query == Query((Word("impresora"), Word("fax", True)))


def test_an_error_says_what_is_allowed_in_the_readers_language() -> None:
    [wrong] = parse("prioridad:mucha").wrong
    assert wrong.rule % wrong.params("es") == (
        "“mucha” is nothing that “prioridad” can be. It can be: urgente, alta, media, baja."
    )
    [wrong] = parse("colour:red").wrong
    assert "etapa" in wrong.rule % wrong.params("pt")


def test_of_several_values_the_good_ones_stay() -> None:
    found = parse("prioridad:alta,enorme,baja")
    assert found.query == Query((Term("priority", ("high", "low")),))
    assert [wrong.word for wrong in found.wrong] == ["enorme"]


def test_too_much_is_told_and_cut() -> None:
    many = parse(" ".join(f"w{n}" for n in range(40)))
    assert len(many.query.parts) == filters.MOST_PARTS
    assert [wrong.rule for wrong in many.wrong] == [filters.TOO_MANY]
    assert many.wrong[0].params("es")["most"] == filters.MOST_PARTS
    long = parse("x" * 1500)
    assert [wrong.rule for wrong in long.wrong] == [filters.TOO_LONG]
    assert long.wrong[0].params("es")["most"] == filters.LONGEST


def test_days() -> None:
    day, other = date(2026, 11, 1), date(2026, 11, 30)
    assert days_between("2026-11-01..2026-11-30") == (day, other)
    assert days_between("2026-11-01..") == (day, None)
    assert days_between("..2026-11-30") == (None, other)
    assert days_between("2026-11-01") == (day, day)


NAMES = {1: "Andina", 2: "Andina Norte", 3: "Café Ándes", 4: "Transportes Andina"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("andina", [1]),
        ("NORTE", [2]),
        ("ansport", [4]),
        ("ANDINA*", [1, 2]),
        ("*andina", [1, 4]),
        ("*andin*", [1, 2, 4]),
        ("cafe andes", [3]),
        ("*", [1, 2, 3, 4]),
        ("nadie", []),
    ],
)
def test_a_name_is_the_whole_name_or_a_part_of_it(typed: str, found: list[int]) -> None:
    assert names_like(typed, NAMES) == found


def test_a_key_taken_out() -> None:
    query = parse("estado:abierto cola:N2 fax -cola:N1").query
    assert write(without_key(query, "queue"), "es") == "estado:abierto fax"
    assert [word.text for word in query.words] == ["fax"]
    assert [term.key for term in query.terms] == ["state", "queue", "queue"]
