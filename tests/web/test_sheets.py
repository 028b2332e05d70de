"""Files of rows: what is read, what is refused and where it says so."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from acuse.interfaces.web import sheets
from acuse.policy.fields import InvalidField
from acuse.policy.imports import MOST_ROWS, Kind

AREAS = Kind.AREAS
HEADER = "Cliente,Nombre\n"


def wrong(content: bytes, encoding: str = "auto") -> InvalidField:
    with pytest.raises(InvalidField) as told:
        sheets.read_grid(content, AREAS, encoding)
    return told.value


def book(fill: Callable[[Workbook], None] | None = None) -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["Cliente", "Nombre"])
    sheet.append(["Andina", "Ventas"])
    if fill is not None:
        fill(made)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


ROWS = (("Cliente", "Nombre"), ("Peña", "Año"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_is_read_in_its_encoding_and_by_its_delimiter(
    encoding: str, delimiter: str, end: str
) -> None:
    text = end.join(delimiter.join(row) for row in ROWS) + end
    assert sheets.read_grid(text.encode(encoding), AREAS).rows == ROWS


def test_utf_16_in_the_other_order_of_bytes() -> None:
    content = b"\xfe\xff" + (HEADER + "Peña,Año").encode("utf-16-be")
    assert sheets.read_grid(content, AREAS).rows == ROWS


def test_an_older_encoding_is_proposed_and_never_guessed() -> None:
    content = (HEADER + "Andina,Ventas\nPeña,Año\n").encode("cp1252")
    told = wrong(content)
    assert (told.field, told.rule) == ("encoding", sheets.NOT_UTF8)
    assert told.params == {"row": 3, "column": "A", "byte": "0xF1", "reads": "Peña"}
    rows = sheets.read_grid(content, AREAS, "cp1252").rows
    assert rows[2] == ("Peña", "Año")


def test_the_column_where_it_breaks_is_named() -> None:
    told = wrong((HEADER + 'Andina,"Ca\nña"\n').encode("cp1252"))
    assert (told.params["row"], told.params["column"]) == (2, "B")


@pytest.mark.parametrize(
    ("content", "encoding", "rule", "row", "column"),
    [
        ((HEADER + "Peña,Año").encode(), "cp1252", sheets.IS_UTF8, None, None),
        (HEADER.encode() + b"Andina,\x81", "cp1252", sheets.NOT_1252, 2, "B"),
        (HEADER.encode() + b"Andina,a\x00b", "auto", sheets.NUL, 2, "B"),
        ("Cliente,Nombre\nA,B".encode("utf-16-le"), "auto", sheets.NUL, 1, "A"),
        ((HEADER + "Andina,a\0b").encode("utf-16"), "auto", sheets.NUL, 2, "B"),
        (
            b"\xff\xfe" + "A,B\n".encode("utf-16-le") + b"\x00\xd8x\x00",
            "auto",
            sheets.NOT_UTF16,
            2,
            "A",
        ),
    ],
)
def test_a_wrong_encoding_names_row_and_column(
    content: bytes, encoding: str, rule: str, row: int | None, column: str | None
) -> None:
    told = wrong(content, encoding)
    assert told.rule == rule
    assert (told.params.get("row"), told.params.get("column")) == (row, column)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", sheets.EMPTY_FILE),
        (b"\xef\xbb\xbf\r\n  \n", sheets.EMPTY_FILE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", sheets.OLD_EXCEL),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), sheets.LOCKED),
        (b"%PDF-1.7 x", sheets.NOT_A_TABLE),
        (b"PK\x03\x04 no more of it", sheets.BROKEN),
        (HEADER.encode() + b'Andina,"Ven\n', sheets.QUOTES),
        (HEADER.encode() + b'Andina,"Ven"tas\n', sheets.QUOTES),
        (b"a" * (sheets.LARGEST + 1), sheets.TOO_LARGE),
        ((HEADER + "," * 40 + "x").encode(), sheets.TOO_WIDE),
        ((HEADER + "\n" * sheets.MOST_LINES + "Andina,Ventas").encode(), sheets.TOO_MANY_ROWS),
    ],
)
def test_what_is_no_table_is_refused_by_its_rule(content: bytes, rule: str) -> None:
    assert wrong(content).rule == rule


def test_excel_s_own_first_line_is_no_row() -> None:
    assert sheets.read_grid(b"sep=;\r\nCliente;Nombre\r\nPe,a;A", AREAS).rows == (
        ("Cliente", "Nombre"),
        ("Pe,a", "A"),
    )


def test_the_delimiter_is_the_one_that_makes_known_columns() -> None:
    text = "Cliente;Nombre\nUno, dos, tres;Ventas, compras"
    assert sheets.read_grid(text.encode(), AREAS).rows[1] == ("Uno, dos, tres", "Ventas, compras")


def test_empty_rows_keep_their_numbers() -> None:
    rows = sheets.read_grid(b"Cliente,Nombre\n\n,,\nAndina,Ventas\n\n\n", AREAS).rows
    assert rows == (("Cliente", "Nombre"), (), (), ("Andina", "Ventas"))


# XLSX -------------------------------------------------------------------------------------------


def test_a_workbook_is_read_as_texts() -> None:
    def fill(made: Workbook) -> None:
        for value in (date(2026, 11, 2), datetime(2026, 11, 2, 8, 30), 900123456, 1.5, True, " a "):
            made.active.append(["Andina", value])  # type: ignore[union-attr]

    rows = sheets.read_grid(book(fill), AREAS).rows
    assert [row[1] for row in rows[2:]] == [
        "2026-11-02",
        "2026-11-02 08:30:00",
        "900123456",
        "1.5",
        "yes",
        " a ",
    ]


def test_rows_left_out_keep_their_numbers() -> None:
    def fill(made: Workbook) -> None:
        made.active["B7"] = "Compras"  # type: ignore[index]

    rows = sheets.read_grid(book(fill), AREAS).rows
    assert (len(rows), rows[4], rows[6]) == (7, (), ("", "Compras"))


def _merge(made: Workbook) -> None:
    made.active.merge_cells("A2:A3")  # type: ignore[union-attr]


def _merge_hidden(made: Workbook) -> None:
    sheet = made.create_sheet("Notas")
    sheet["A1"] = "otra cosa"
    sheet.merge_cells("A1:B9")
    sheet.sheet_state = "hidden"


def _put(cell: str, value: Any) -> Callable[[Workbook], None]:
    def fill(made: Workbook) -> None:
        made.active[cell] = value  # type: ignore[index]

    return fill


def _another(made: Workbook) -> None:
    made.create_sheet("Otra")["C3"] = "x"


def _nothing(made: Workbook) -> None:
    made.active.delete_rows(1, 2)  # type: ignore[union-attr]


def _many(made: Workbook) -> None:
    for _row in range(sheets.MOST_LINES):
        made.active.append(["a"])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fill", "rule", "params"),
    [
        (_merge, sheets.MERGED, {"sheet": "Sheet", "range": "A2:A3"}),
        (_put("B3", "=1+1"), sheets.FORMULA, {"cell": "B3"}),
        (_put("B3", "#N/A"), sheets.CELL_ERROR, {"cell": "B3", "value": "#N/A"}),
        (_put("B3", 10**16), sheets.LONG_NUMBER, {"cell": "B3"}),
        (_put("XFD2", "x"), sheets.TOO_WIDE, {"row": "2", "limit": 30}),
        (_put("A1048576", "x"), sheets.TOO_MANY_ROWS, {"limit": MOST_ROWS}),
        (_another, sheets.SEVERAL_SHEETS, {"sheets": "Sheet, Otra"}),
        (_nothing, sheets.EMPTY_FILE, {}),
        (_many, sheets.TOO_MANY_ROWS, {"limit": MOST_ROWS}),
    ],
)
def test_what_a_sheet_must_not_have_is_named(
    fill: Callable[[Workbook], None], rule: str, params: dict[str, object]
) -> None:
    told = wrong(book(fill))
    assert (told.rule, told.params) == (rule, params)


def test_a_hidden_sheet_is_left_out_and_told() -> None:
    grid = sheets.read_grid(book(_merge_hidden), AREAS)
    assert grid.rows == (("Cliente", "Nombre"), ("Andina", "Ventas"))
    assert grid.notes == ((sheets.HIDDEN, {"sheet": "Notas"}),)


def _rewritten(change: Callable[[str, bytes], bytes]) -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book())) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return stream.getvalue()


def test_a_bomb_is_not_unpacked() -> None:
    content = _rewritten(
        lambda name, part: part + b" " * 20_000_000 if name.endswith("sheet1.xml") else part
    )
    assert len(content) < sheets.LARGEST
    assert wrong(content).rule == sheets.UNPACKS


def test_many_small_parts_are_refused() -> None:
    stream = io.BytesIO(book())
    with zipfile.ZipFile(stream, "a") as packed:
        for number in range(sheets.MOST_PARTS):
            packed.writestr(f"xl/x{number}", "")
    assert wrong(stream.getvalue()).rule == sheets.UNPACKS


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_an_entity_is_not_expanded(part: str) -> None:
    lol = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c SYSTEM "file:///etc/passwd">]>'

    def change(name: str, content: bytes) -> bytes:
        return lol + content.replace(b"Andina", b"&c;&b;") if name == part else content

    content = _rewritten(change)
    rule, read = _try(content)
    if part.endswith("workbook.xml"):
        assert rule in ("", sheets.BROKEN)
        assert "root:" not in read
    else:
        assert rule == sheets.BROKEN


def _try(content: bytes, encoding: str = "auto") -> tuple[str, str]:
    """The rule that a file breaks ("": none) and what was read of it. Fails otherwise."""
    try:
        return "", repr(sheets.read_grid(content, AREAS, encoding))
    except InvalidField as told:
        return told.rule, str(told.rule % told.params)


def test_another_kind_of_package_is_no_table() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("word/document.xml", "<a/>")
    assert wrong(stream.getvalue()).rule == sheets.NOT_A_TABLE


@given(st.binary(max_size=300), st.integers(0, 5000))
def test_no_bytes_do_harm(noise: bytes, place: int) -> None:
    """A broken workbook or CSV is read or refused; it never fails otherwise."""
    whole = book()
    at = place % len(whole)
    for content in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        for encoding in sheets.ENCODINGS:
            assert _try(content, encoding)[1]


# Writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1+1", "+57 1", "-3", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_no_spreadsheet_runs_what_we_write(cell: str) -> None:
    text = sheets.write_csv([["Cliente", "Nombre"], ["x", cell]]).decode("utf-8-sig")
    assert ";'" in text or ";\"'" in text
    assert sheets.read_grid(text.encode(), AREAS).rows[1][1] == cell


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=8
)


@given(
    st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=4), st.sampled_from(",;")
)
def test_what_is_written_is_read_again(rows: list[list[str]], delimiter: str) -> None:
    table = [["Cliente", "Nombre"], *rows]
    found = sheets.read_grid(sheets.write_csv(table, delimiter), AREAS).rows
    kept = [_trimmed(row) for row in table]
    while not kept[-1]:
        kept.pop()
    assert list(found) == kept


def _trimmed(row: list[str]) -> tuple[str, ...]:
    cells = tuple(row)
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells
