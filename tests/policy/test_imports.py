"""Columns and rows of a file of customers and people, judged by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acuse.policy import imports
from acuse.policy.fields import InvalidField
from acuse.policy.imports import CODES, COLUMNS, HEADERS, KEYS, REQUIRED, Grid, Kind, Row, letter
from acuse.policy.stages import Role


def read(kind: Kind, *rows: str, language: str = "es") -> list[Row]:
    """The rows of a file whose cells are parted by `|`."""
    return imports.read_rows(kind, Grid(tuple(tuple(row.split("|")) for row in rows)), language)


def problems(row: Row) -> list[tuple[str, str]]:
    return [(problem.field, problem.rule) for problem in row.problems]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", imports.LANGUAGES)
def test_a_template_has_columns_that_are_read(kind: Kind, language: str) -> None:
    headers = [imports.header_of(column, language) for column in COLUMNS[kind]]
    grid = Grid((tuple(headers), tuple("x" for _ in headers)))
    (row,) = imports.read_rows(kind, grid, language)
    assert set(row.values) == set(COLUMNS[kind])
    assert imports.known_headers(kind, headers) == len(headers)


@pytest.mark.parametrize("kind", Kind)
def test_no_word_heads_two_columns_of_a_file(kind: Kind) -> None:
    words = [imports.plain(word) for column in COLUMNS[kind] for word in set(HEADERS[column])]
    found = {
        word: {c for c in COLUMNS[kind] if word in map(imports.plain, HEADERS[c])} for word in words
    }
    assert {word: columns for word, columns in found.items() if len(columns) > 1} == {}
    assert set(KEYS[kind]) <= set(COLUMNS[kind])
    assert set(REQUIRED[kind]) <= set(COLUMNS[kind])


@pytest.mark.parametrize("column", CODES)
def test_no_word_means_two_codes(column: str) -> None:
    words = [
        imports.plain(word)
        for code, meant in CODES[column].items()
        for word in {imports.plain(w) for w in (code, *meant)}
    ]
    assert len(words) == len(set(words))


def test_headers_and_codes_are_read_in_any_case_and_with_or_without_accents() -> None:
    (row,) = read(
        Kind.PEOPLE,
        "CORREO |Organizacion|Rol|NIVEL",
        " eva@x.example | Andina  S.A. |RESPONSABLE DEL SERVICIO|N2",
    )
    assert row.values == {
        "email": "eva@x.example",
        "organisation": "Andina S.A.",
        "role": Role.OWNER,
        "level": "n2",
    }
    assert not row.problems


@pytest.mark.parametrize(
    ("rows", "rule", "params"),
    [
        (["|"], imports.NO_HEADER, {}),
        (["Cliente|Nombre|Teléfono", "a|b|c"], imports.UNKNOWN_COLUMN, {"column": "C"}),
        (["Cliente|Nombre|name", "a|b|c"], imports.COLUMN_TWICE, {"first": "B", "column": "C"}),
        (["Nombre", "a"], imports.COLUMN_MISSING, {"header": "cliente"}),
        (["Cliente|Nombre"], imports.NO_ROWS, {}),
        (["Cliente|Nombre", " | "], imports.NO_ROWS, {}),
        (["Cliente|Nombre", *["a|b"] * 1001], imports.TOO_MANY_ROWS, {"limit": 1000}),
    ],
)
def test_a_file_that_cannot_be_one_is_refused_whole(
    rows: list[str], rule: str, params: dict[str, object]
) -> None:
    with pytest.raises(InvalidField) as told:
        read(Kind.AREAS, *rows)
    assert (told.value.field, told.value.rule) == ("file", rule)
    assert params.items() <= told.value.params.items()
    assert str(told.value)


@pytest.mark.parametrize(
    ("cells", "field", "rule"),
    [
        ("|Ventas", "customer", imports.EMPTY),
        ("Andina|", "name", imports.EMPTY),
        (f"Andina|{'x' * 101}", "name", imports.TOO_LONG),
        ("Andina|Ven\x07tas", "name", imports.CONTROL_SIGN),
        ("Andina|A\ufffdo", "name", imports.CONTROL_SIGN),
        ("Andina|Ventas|algo", "", imports.BEYOND_HEADER),
    ],
)
def test_a_wrong_cell_is_told_by_its_column(cells: str, field: str, rule: str) -> None:
    good, row = read(Kind.AREAS, "Cliente|Nombre", "Brisa|Compras", cells)
    assert not good.problems
    assert (row.number, problems(row)) == (3, [(field, rule)])


@pytest.mark.parametrize("column", ["idioma", "rol", "nivel", "sustituto"])
def test_an_unknown_code_names_the_known_ones(column: str) -> None:
    code = {"idioma": "language", "rol": "role", "nivel": "level", "sustituto": "substitute"}[
        column
    ]
    headers = {"correo": "a@b.example", "organización": "Andina", "rol": "usuario"}
    headers |= {column: "nada"}
    (row,) = read(Kind.PEOPLE, "|".join(headers), "|".join(headers.values()))
    (problem,) = row.problems
    assert (problem.field, problem.rule) == (code, imports.NOT_ONE_OF)
    assert problem.params["value"] == "nada"


def test_a_row_that_stands_there_twice_names_the_first() -> None:
    rows = read(Kind.AREAS, "Cliente|Nombre", "Andina|Ventas", "", "ANDINA|ventas", "Brisa|Ventas")
    assert [row.number for row in rows] == [2, 4, 5]
    assert [problems(row) for row in rows] == [[], [("", imports.TWICE)], []]
    assert rows[1].problems[0].params == {"row": 2}


def test_one_person_may_stand_there_once_for_each_role_and_has_one_name() -> None:
    head = "correo|nombre|organización|rol"
    rows = read(
        Kind.PEOPLE,
        head,
        "eva@x.example|Eva|Andina|usuario",
        "EVA@x.example||Brisa|usuario",
        "eva@x.example|Eva|Andina|líder",
        "eva@x.example|Evelia|Brisa|líder",
    )
    assert [problems(row) for row in rows] == [[], [], [], [("name", imports.OTHERWISE)]]
    assert rows[3].problems[0].params == {"row": 2, "value": "Eva"}


def test_our_own_list_of_wrong_rows_can_be_sent_again() -> None:
    rows = read(Kind.AREAS, "Fila|Qué está mal|Cliente|Nombre", "7|no existe|Andina|Ventas")
    assert rows[0].values == {"customer": "Andina", "name": "Ventas"}


@pytest.mark.parametrize(
    ("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_named_as_spreadsheets_do(place: int, name: str) -> None:
    assert letter(place) == name


grids = st.lists(st.lists(st.text(max_size=6), max_size=5), max_size=6)


@given(st.sampled_from(list(Kind)), grids)
def test_any_rows_are_judged(kind: Kind, cells: list[list[str]]) -> None:
    """Every row with something in it comes out once, by its number, good or with its problems."""
    header = tuple(imports.header_of(column, "en") for column in COLUMNS[kind])
    grid = Grid((header, *(tuple(row) for row in cells)))
    wanted = [n for n, row in enumerate(cells, 2) if any(cell.strip() for cell in row)]
    if not wanted:
        with pytest.raises(InvalidField):
            imports.read_rows(kind, grid, "en")
        return
    rows = imports.read_rows(kind, grid, "en")
    assert [row.number for row in rows] == wanted
    for row in rows:
        missing = [column for column in REQUIRED[kind] if not row.values.get(column)]
        assert bool(row.problems) or not missing
        for problem in row.problems:
            assert problem.rule % problem.params
