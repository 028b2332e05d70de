"""CSV and XLSX read into rows of texts, and CSV written (RFC 4180, ECMA-376).

What cannot be read with certainty is refused, naming the place; nothing is guessed in silence.
Every limit is looked at before the work that it bounds is done.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from defusedxml.ElementTree import iterparse
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import column_index_from_string

from acuse.policy.fields import N_, InvalidField
from acuse.policy.imports import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    TOO_MANY_ROWS,
    Grid,
    Kind,
    known_headers,
    letter,
)

LARGEST = 2 * 1024 * 1024  # bytes of a file as it was sent
LARGEST_UNPACKED = 10 * 1024 * 1024  # bytes of what is packed in an XLSX, all together
MOST_PARTS = 500
# Rows that are looked at: many more than may be filled, as some programs leave empty ones between.
MOST_LINES = 10 * MOST_ROWS

TOO_LARGE = N_("the file is larger than %(limit)s MB")
EMPTY_FILE = N_("the file is empty")
OLD_EXCEL = N_("this is a file of an old Excel (.xls): save it as .xlsx or as CSV")
NOT_A_TABLE = N_("this is neither a CSV nor an XLSX file")
BROKEN = N_("the file cannot be read as XLSX: save it again")
UNPACKS = N_("unpacked, the file would be larger than %(limit)s MB")
LOCKED = N_("the file is protected by a password")
SEVERAL_SHEETS = N_("several sheets have something in them: %(sheets)s. Leave one")
MERGED = N_("sheet “%(sheet)s”: the cells %(range)s are merged. Undo it: each row needs its own")
FORMULA = N_("cell %(cell)s holds a formula: put its value in its place")
CELL_ERROR = N_("cell %(cell)s holds an error (%(value)s)")
LONG_NUMBER = N_("cell %(cell)s holds a number of more than 15 digits: make it a text")
TOO_WIDE = N_("row %(row)s has more than %(limit)s columns")
HIDDEN = N_("The hidden sheet “%(sheet)s” is not read.")
NOT_UTF8 = N_(
    "row %(row)s, column %(column)s: this is not UTF-8 (byte %(byte)s). If the file comes from an"
    " older Excel, choose Windows-1252: that reads “%(reads)s” there"
)
NOT_1252 = N_("row %(row)s, column %(column)s: this is not Windows-1252 (byte %(byte)s)")
IS_UTF8 = N_("the file is UTF-8, not Windows-1252: let the encoding be recognised")
NOT_UTF16 = N_("row %(row)s, column %(column)s: this is not the UTF-16 that the file announces")
NUL = N_("row %(row)s, column %(column)s: a byte that no text has. Save the file as CSV in UTF-8")
QUOTES = N_("line %(line)s: a quoted text is not closed, or goes on after its end")

ENCODINGS = {"auto": N_("Recognise it: UTF-8 or UTF-16"), "cp1252": N_("Windows-1252")}
DELIMITERS = ",;\t"
# What a spreadsheet would take for a formula (OWASP, CSV Injection).
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def read_grid(content: bytes, kind: Kind, encoding: str = "auto") -> Grid:
    """The table in a file. `encoding` (a key of ENCODINGS) is only asked of a CSV. Raises
    InvalidField("file" or "encoding") naming the place."""
    if len(content) > LARGEST:
        raise InvalidField("file", TOO_LARGE, limit=LARGEST // 1024**2)
    if not content.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise InvalidField("file", EMPTY_FILE)
    if content.startswith(b"PK\x03\x04"):
        return _read_xlsx(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):  # an OLE container: old Excel, or an encrypted new
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        raise InvalidField("file", LOCKED if encrypted else OLD_EXCEL)
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b", b"{\\rtf")):
        raise InvalidField("file", NOT_A_TABLE)
    return _read_csv(_decode(content, encoding), kind)


# CSV --------------------------------------------------------------------------------------------


def _decode(content: bytes, encoding: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as wrong:
            before = content[: wrong.start].decode("utf-16", "ignore")
            raise InvalidField("file", NOT_UTF16, **_place(before)) from wrong
        if (zero := text.find("\0")) >= 0:
            raise InvalidField("file", NUL, **_place(text[:zero]))
        return text
    zero = content.find(b"\x00")
    if zero >= 0:
        raise InvalidField("file", NUL, **_place(content[:zero].decode("latin-1")))
    return _decode_1252(content) if encoding == "cp1252" else _decode_utf8(content)


def _decode_utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise InvalidField(
            "encoding",
            NOT_UTF8,
            **_place(content[: wrong.start].decode("utf-8-sig", "ignore")),
            byte=f"0x{content[wrong.start]:02X}",
            reads=_word_at(content, wrong.start),
        ) from wrong


def _word_at(content: bytes, place: int) -> str:
    """The word around a byte, as Windows-1252 reads it."""
    around = content[max(0, place - 20) : place + 20].decode("cp1252", "replace")
    at = min(place, 20)
    start = max(around.rfind(sign, 0, at) for sign in ' ,;\t\r\n"') + 1
    ends = [end for sign in ' ,;\t\r\n"' if (end := around.find(sign, at)) >= 0]
    return around[start : min(ends, default=len(around))]


def _decode_1252(content: bytes) -> str:
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            raise InvalidField("encoding", IS_UTF8)
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as wrong:
        place = _place(content[: wrong.start].decode("cp1252", "replace"))
        raise InvalidField(
            "encoding", NOT_1252, **place, byte=f"0x{content[wrong.start]:02X}"
        ) from wrong


def _place(before: str) -> dict[str, object]:
    """In which row and column one is after this much of a CSV."""
    delimiter = max(DELIMITERS, key=before.count)
    there = io.StringIO(before + "?", newline="")  # the first sign that could not be read
    rows = list(csv.reader(there, delimiter=delimiter))
    return {"row": len(rows), "column": letter(len(rows[-1]) - 1)}


def _read_csv(text: str, kind: Kind) -> Grid:
    told = re.match(r"(?i)sep=(.)\r?\n", text)  # Excel's own line, which is no row
    if told:
        return _grid(_split(text[told.end() :], told[1]))
    best = max(DELIMITERS, key=lambda sign: (known_headers(kind, _header(text, sign)), sign == ","))
    return _grid(_split(text, best))


def _header(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text[:20_000], newline=""), delimiter=delimiter), [])


def _split(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as wrong:
        raise InvalidField("file", QUOTES, line=reader.line_num) from wrong


def _grid(rows: Iterable[Sequence[str]], notes: Sequence[Any] = ()) -> Grid:
    """The rows up to the last that has something in it."""
    kept: list[tuple[str, ...]] = []
    filled = 0
    for number, row in enumerate(rows, start=1):
        cells = tuple(_unguard(cell) for cell in row)
        while cells and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) > MOST_COLUMNS:
            raise InvalidField("file", TOO_WIDE, row=number, limit=MOST_COLUMNS)
        if cells and number > MOST_LINES:
            raise InvalidField("file", TOO_MANY_ROWS, limit=MOST_ROWS)
        if number <= MOST_LINES:
            kept.append(cells)
        filled = number if cells else filled
    return Grid(tuple(kept[:filled]), tuple(notes))


# XLSX -------------------------------------------------------------------------------------------


def _read_xlsx(content: bytes) -> Grid:
    try:
        _check_parts(content)
        return _read_sheets(content)
    except InvalidField:
        raise
    except Exception as broken:  # of what somebody made of an XLSX the library raises anything
        raise InvalidField("file", BROKEN) from broken


def _check_parts(content: bytes) -> None:
    """What is packed says how large it is, and no more than that is ever unpacked of it."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise InvalidField("file", LOCKED)
        unpacked = sum(part.file_size for part in parts)
        if unpacked > LARGEST_UNPACKED or len(parts) > MOST_PARTS:
            raise InvalidField("file", UNPACKS, limit=LARGEST_UNPACKED // 1024**2)
        if "xl/workbook.xml" not in packed.namelist():
            raise InvalidField("file", NOT_A_TABLE)


def _read_sheets(content: bytes) -> Grid:
    reader = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
    reader.read()
    parts = {sheet.name: rel.target for sheet, rel in reader.parser.find_sheets()}
    notes: list[Any] = []
    found: dict[str, Grid] = {}
    for sheet in reader.wb.worksheets:
        if sheet.sheet_state != "visible":
            notes.append((HIDDEN, {"sheet": sheet.title}))
            continue
        _check_sheet(content, parts[sheet.title], sheet.title)
        grid = _grid(_texts(sheet))
        if grid.rows:
            found[sheet.title] = grid
    if not found:
        raise InvalidField("file", EMPTY_FILE)
    if len(found) > 1:
        raise InvalidField("file", SEVERAL_SHEETS, sheets=", ".join(found))
    return Grid(next(iter(found.values())).rows, tuple(notes))


def _check_sheet(content: bytes, part: str, title: str) -> None:
    """No merged cells, and no more than the limits, before the library looks at it."""
    rows = 0
    data: Any = None
    with zipfile.ZipFile(io.BytesIO(content)) as packed, packed.open(part.lstrip("/")) as stream:
        for event, element in iterparse(stream, ("start", "end"), forbid_dtd=True):
            tag = element.tag.rpartition("}")[2]
            if event == "start":
                data = element if tag == "sheetData" else data
            elif tag == "mergeCell":
                raise InvalidField("file", MERGED, sheet=title, range=element.get("ref", "?"))
            elif tag == "row":
                rows += 1
                number = element.get("r", rows)
                if rows > MOST_LINES:
                    raise InvalidField("file", TOO_MANY_ROWS, limit=MOST_ROWS)
                if any(_column(cell, n) > MOST_COLUMNS for n, cell in enumerate(element, 1)):
                    raise InvalidField("file", TOO_WIDE, row=number, limit=MOST_COLUMNS)
                if data is not None:
                    data.clear()


def _column(cell: Any, place: int) -> int:
    """The number of a cell's column, from 1; 0 for a cell without anything in it."""
    if not len(cell):
        return 0
    letters = re.match("[A-Z]{1,3}", cell.get("r", ""))
    return column_index_from_string(letters[0]) if letters else place


def _texts(sheet: Any) -> Iterator[list[str]]:
    """The rows of a sheet as texts."""
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), start=1):
        yield [
            _text(cell.value, cell.data_type, f"{letter(place)}{number}")
            if cell.value is not None
            else ""
            for place, cell in enumerate(row)
        ]


def _text(value: object, data_type: str, cell: str) -> str:
    if data_type == "f":
        raise InvalidField("file", FORMULA, cell=cell)
    if data_type == "e":
        raise InvalidField("file", CELL_ERROR, cell=cell, value=str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        if abs(value) >= 10**15:  # a spreadsheet has rounded it already
            raise InvalidField("file", LONG_NUMBER, cell=cell)
        return str(int(value)) if value == int(value) else repr(value)
    return str(value)[: LONGEST_CELL + 1]


# Writing ----------------------------------------------------------------------------------------


def write_csv(rows: Iterable[Sequence[str]], delimiter: str = ";") -> bytes:
    """A CSV that spreadsheets open as it is: UTF-8 with its mark, and no cell that one of them
    would run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    for row in rows:
        writer.writerow([_guard(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _guard(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_DANGEROUS) else cell


def _unguard(cell: str) -> str:
    """What `_guard` wrote, as it was: our own lists come back corrected."""
    if cell.startswith("'") and cell[1:].lstrip(" ").startswith(_DANGEROUS):
        return cell[1:]
    return cell
