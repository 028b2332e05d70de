"""What a file of customers and people may say: its columns, in three languages, and the rules that
one row can break by itself (P10). Reading bytes is interfaces/web/sheets.py; what the rows do is
actions/imports.py."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .fields import N_, InvalidField
from .stages import Role

MOST_ROWS = 1000  # of one file
MOST_COLUMNS = 30
LONGEST_CELL = 500  # characters

UNKNOWN_COLUMN = N_("column %(column)s, “%(header)s”, is not known. Known are: %(known)s")
COLUMN_TWICE = N_("columns %(first)s and %(column)s are both “%(header)s”")
COLUMN_MISSING = N_("the column “%(header)s” is missing")
NO_HEADER = N_("the first row must name the columns. Known are: %(known)s")
NO_ROWS = N_("there is no row under the names of the columns")
TOO_MANY_ROWS = N_("more than %(limit)s rows: divide the file")
EMPTY = N_("must not be empty")
TOO_LONG = N_("has more than %(limit)s characters")
CONTROL_SIGN = N_("has a sign that no text has (%(value)s)")
BEYOND_HEADER = N_("column %(column)s has something in it but no name in the first row")
NOT_ONE_OF = N_("must be one of %(known)s, not “%(value)s”")
TWICE = N_("stands in row %(row)s already")
OTHERWISE = N_("row %(row)s says “%(value)s” of the same person")


class Kind(StrEnum):
    """What a file is about; one kind a file."""

    CUSTOMERS = "customers"
    ENTITIES = "entities"
    AREAS = "areas"
    ENVIRONMENTS = "environments"
    PEOPLE = "people"


# By the code of a column: what its header may say, as es, en, pt; the first three head a template.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "customer": ("cliente", "customer", "cliente", "organización", "organisation", "organization"),
    "organisation": (
        ("organización", "organisation", "organização")
        + ("cliente", "customer", "empresa", "company", "organization")
    ),
    "name": ("nombre", "name", "nome"),
    "language": ("idioma", "language", "idioma", "lengua", "língua"),
    "spoc": (
        ("correo del punto de contacto", "contact mail", "e-mail do ponto de contato")
        + ("spoc", "punto de contacto", "single point of contact", "ponto de contato")
    ),
    "tax_id": ("nit", "tax number", "cnpj", "número de identificación fiscal", "tax id"),
    "url": ("dirección web", "web address", "endereço web", "url", "dirección", "endereço"),
    "email": (
        (
            "correo",
            "mail address",
            "e-mail",
            "email",
            "mail",
            "correo electrónico",
            "e-mail address",
        )
        + ("email address", "correio eletrônico")
    ),
    "role": ("rol", "role", "papel", "función", "função"),
    "area": ("área", "area", "área"),
    "level": ("nivel", "level", "nível"),
    "substitute": ("sustituto", "substitute", "substituto", "suplente"),
}
# What our own list of wrong rows has beside: it can be corrected and sent again as it is.
OUR_OWN = ("fila", "row", "linha"), ("qué está mal", "what is wrong", "o que está errado")
LANGUAGES = ("es", "en", "pt")

COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CUSTOMERS: ("name", "language", "spoc"),
    Kind.ENTITIES: ("customer", "name", "tax_id"),
    Kind.AREAS: ("customer", "name"),
    Kind.ENVIRONMENTS: ("customer", "name", "url"),
    Kind.PEOPLE: (
        *("email", "name", "language", "organisation", "role", "area", "level", "substitute"),
    ),
}
REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    Kind.CUSTOMERS: ("name",),
    Kind.ENTITIES: ("customer", "name"),
    Kind.AREAS: ("customer", "name"),
    Kind.ENVIRONMENTS: ("customer", "name"),
    Kind.PEOPLE: ("email", "organisation", "role"),
}
# Characters that a column may have, where it is fewer than LONGEST_CELL.
LONGEST: Mapping[str, int] = {"email": 254, "tax_id": 32, "url": 200, "name": 100}
LONGEST_NAME = 200  # of a customer or a person
# What makes two rows of one file the same row.
KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CUSTOMERS: ("name",),
    Kind.ENTITIES: ("customer", "name"),
    Kind.AREAS: ("customer", "name"),
    Kind.ENVIRONMENTS: ("customer", "name"),
    Kind.PEOPLE: ("email", "organisation", "role"),
}

_YES, _NO = ("sí", "yes", "sim", "true", "verdadero", "x", "1"), ("no", "não", "false", "0")
# For a column of codes: each code and the words that mean it.
CODES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "language": {
        "es": ("español", "spanish", "espanhol", "castellano"),
        "en": ("inglés", "english", "inglês"),
        "pt": ("portugués", "portuguese", "português"),
    },
    "role": {
        Role.USER: ("usuario", "user", "usuário"),
        Role.LEAD: ("líder funcional", "functional lead", "líder", "lead"),
        Role.OWNER: ("responsable del servicio", "service owner", "responsável pelo serviço"),
        Role.SUPPORT: ("soporte", "support agent", "suporte", "agente", "agente de soporte"),
        Role.CONSULTANT: ("consultor", "consultora", "consultant"),
        Role.MANAGER: ("gerente del servicio", "service manager", "gerente do serviço", "gerente"),
        Role.ADMINISTRATOR: ("administrador", "administradora", "administrator"),
    },
    "level": {"n1": ("1", "nivel 1"), "n2": ("2", "nivel 2"), "n3": ("3", "nivel 3")},
    "substitute": {"yes": _YES, "no": _NO},
}


@dataclass(frozen=True)
class Grid:
    """A file as it was read: its rows of texts from the first on, without the empty rows at the
    end; row and column numbers are those that a spreadsheet shows. `notes`: what was left out (a
    sheet that is hidden), as msgid and parameters."""

    rows: tuple[tuple[str, ...], ...]
    notes: tuple[tuple[str, Mapping[str, object]], ...] = ()


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row: the column (a code of HEADERS, "" for the whole row), the rule (a
    msgid) and what its placeholders stand for."""

    field: str
    rule: str
    params: Mapping[str, object] = dataclasses.field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Row:
    """One row of the file: its number, its values by column (codes and texts; nothing where a cell
    is empty), and what is wrong with it by itself."""

    number: int
    values: Mapping[str, str] = dataclasses.field(hash=False)
    problems: tuple[Problem, ...] = ()


def letter(column: int) -> str:
    """The name of a column in a spreadsheet: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def plain(text: str) -> str:
    """A header or a word of a code without accents, case and odd spaces, to be compared."""
    bare = unicodedata.normalize("NFKD", text.replace("_", " ").casefold())
    return " ".join("".join(sign for sign in bare if not unicodedata.combining(sign)).split())


def header_of(column: str, language: str) -> str:
    """What a column is called in a language (a code of LANGUAGES)."""
    words = HEADERS[column]
    return words[LANGUAGES.index(language)] if language in LANGUAGES else words[1]


def known_headers(kind: Kind, headers: Iterable[str]) -> int:
    """How many of these headers a file of this kind may have."""
    known = {plain(word) for column in COLUMNS[kind] for word in HEADERS[column]}
    return sum(plain(header) in known for header in headers)


def read_rows(kind: Kind, grid: Grid, language: str) -> list[Row]:
    """The rows of a file, those without anything in them left out. Raises InvalidField("file")
    where the file as a whole cannot be one of this kind: its columns are not the known ones, it
    has no row or too many. `language`: in which the known columns are named."""
    known = ", ".join(header_of(column, language) for column in COLUMNS[kind])
    if not grid.rows or not any(cell.strip() for cell in grid.rows[0]):
        raise InvalidField("file", NO_HEADER, known=known)
    columns = _read_header(kind, grid.rows[0], known)
    for column in REQUIRED[kind]:
        if column not in columns.values():
            raise InvalidField("file", COLUMN_MISSING, header=header_of(column, language))
    rows = [
        _read_row(kind, number, cells, columns)
        for number, cells in enumerate(grid.rows[1:], start=2)
        if any(cell.strip() for cell in cells)
    ]
    if not rows:
        raise InvalidField("file", NO_ROWS)
    if len(rows) > MOST_ROWS:
        raise InvalidField("file", TOO_MANY_ROWS, limit=MOST_ROWS)
    return _compare(kind, rows)


def _read_header(kind: Kind, cells: Sequence[str], known: str) -> dict[int, str]:
    """The code of each column that has a name; "" for one of ours that says nothing."""
    codes = {plain(word): column for column in COLUMNS[kind] for word in HEADERS[column]}
    codes |= {plain(word): "" for words in OUR_OWN for word in words}
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        if not cell.strip():
            continue
        header = " ".join(cell.split())[:60]
        code = codes.get(plain(cell))
        if code is None:
            raise InvalidField(
                "file", UNKNOWN_COLUMN, column=letter(place), header=header, known=known
            )
        if code and code in found.values():
            first = next(letter(other) for other, held in found.items() if held == code)
            raise InvalidField(
                "file", COLUMN_TWICE, first=first, column=letter(place), header=header
            )
        found[place] = code
    return found


def _read_row(kind: Kind, number: int, cells: Sequence[str], columns: Mapping[int, str]) -> Row:
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for place, cell in enumerate(cells):
        text = " ".join(cell.split())
        code = columns.get(place)
        if code is None and text:
            problems.append(Problem("", BEYOND_HEADER, {"column": letter(place)}))
        elif code and text:
            wrong = _wrong_with(kind, code, text)
            problems += wrong
            values[code] = text[:LONGEST_CELL] if wrong else _code_of(code, text)
    problems += [
        Problem(column, EMPTY)
        for column in REQUIRED[kind]
        if not values.get(column) and all(problem.field != column for problem in problems)
    ]
    return Row(number, values, tuple(problems))


def _wrong_with(kind: Kind, column: str, text: str) -> list[Problem]:
    limit = LONGEST.get(column, LONGEST_CELL)
    if column == "name" and kind in (Kind.CUSTOMERS, Kind.PEOPLE):
        limit = LONGEST_NAME
    if len(text) > limit:
        return [Problem(column, TOO_LONG, {"limit": limit})]
    odd = next((sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs")), None)
    if odd is None and "\ufffd" in text:  # what an earlier program could not read
        odd = "\ufffd"
    if odd is not None:
        return [Problem(column, CONTROL_SIGN, {"value": f"U+{ord(odd):04X}"})]
    if column in CODES and not _code_of(column, text):
        known = ", ".join(words[0] for words in CODES[column].values())
        return [Problem(column, NOT_ONE_OF, {"known": known, "value": text})]
    return []


def _code_of(column: str, text: str) -> str:
    """The code that a word means, "" for an unknown one; any other column's text as it is."""
    if column not in CODES:
        return text
    for code, words in CODES[column].items():
        if plain(text) in {plain(code), *map(plain, words)}:
            return str(code)
    return ""


def _compare(kind: Kind, rows: Sequence[Row]) -> list[Row]:
    """The rows with what is wrong between them: one that stands there twice, and two that say
    something else of one person."""
    seen: dict[tuple[str, ...], int] = {}
    said: dict[tuple[str, str], tuple[int, str]] = {}
    compared = []
    for row in rows:
        problems = list(row.problems)
        if all(row.values.get(column) for column in KEYS[kind]):
            key = tuple(row.values[column].casefold() for column in KEYS[kind])
            first = seen.setdefault(key, row.number)
            if first != row.number:
                problems.append(Problem("", TWICE, {"row": first}))
        if kind is Kind.PEOPLE:
            problems += _contradictions(row, said)
        compared.append(Row(row.number, row.values, tuple(problems)))
    return compared


def _contradictions(row: Row, said: dict[tuple[str, str], tuple[int, str]]) -> list[Problem]:
    found = []
    for column in ("name", "language"):
        value = row.values.get(column)
        if value:
            key = (row.values.get("email", "").casefold(), column)
            number, before = said.setdefault(key, (row.number, value))
            if before != value:
                found.append(Problem(column, OTHERWISE, {"row": number, "value": before}))
    return found
