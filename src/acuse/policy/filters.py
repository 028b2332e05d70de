"""The desk's filters as a query that one can read and write:

    etapa:diagnóstico asignado:yo prioridad:alta,urgente cliente:"Andina" -cola:ventas impresora

Everything in it has to hold. `key:value` asks for a property, several values with commas between
them for any of those; anything else is a word of the case's text; a minus in front asks for the
contrary. Keys and listed values are understood in Spanish, English and Portuguese, in any letter
case and without accents; what is kept is one canonical form (English codes), written again in the
reader's language. Names are kept as typed: the whole name, or what is in it. What cannot be read
is told and left out: nothing here raises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from .fields import N_
from .priority import Priority
from .stages import Stage

LONGEST, MOST_PARTS = 1000, 30  # characters; words and terms
LANGUAGES = ("es", "en", "pt")
FIRST_YEAR, LAST_YEAR = 1970, 2200

UNKNOWN_KEY = N_(
    "“%(word)s” is not a filter. There are: %(allowed)s. To look for it as text, put it in quotes."
)
UNKNOWN_VALUE = N_("“%(word)s” is nothing that “%(key)s” can be. It can be: %(allowed)s.")
NO_VALUE = N_("“%(word)s” needs a value. It can be: %(allowed)s.")
NO_NAME = N_("“%(word)s” needs a name after the colon.")
NOT_DAYS = N_("“%(word)s” is not a day: write 2026-11-17, or 2026-11-01..2026-11-30.")
TOO_LONG = N_("A filter has at most %(most)s characters: the rest was not read.")
TOO_MANY = N_("A filter has at most %(most)s parts: the rest was not read.")
UNKNOWN_NAME = N_("Nothing called “%(word)s” is known for “%(key)s”. There is: %(allowed)s")
NO_NAME_LIKE = N_("Nothing called “%(word)s” is known for “%(key)s”.")

Words = tuple[str, str, str]  # in Spanish, English, Portuguese


@dataclass(frozen=True)
class Key:
    """A property that can be asked for. `values`: what it can be, by code; with `named`, also any
    name; with `days`, a day or a range of days."""

    words: Words
    values: Mapping[str, Words]
    named: bool = False
    days: bool = False


def _same(word: str) -> Words:
    return (word, word, word)


_STAGES: dict[str, Words] = {
    Stage.RECEIVED: ("recibido", "received", "recebido"),
    Stage.ANALYSIS: ("análisis", "analysis", "análise"),
    Stage.DIAGNOSIS: ("diagnóstico", "diagnosis", "diagnóstico"),
    Stage.ESTIMATION: ("estimación", "estimation", "estimativa"),
    Stage.SCOPE_VALIDATION: ("alcance", "scope", "escopo"),
    Stage.PROPOSAL: ("propuesta", "proposal", "proposta"),
    Stage.AUTHORIZATION: ("autorización", "authorisation", "autorização"),
    Stage.IN_PROGRESS: ("ejecución", "progress", "execução"),
    Stage.DELIVERED: ("entregado", "delivered", "entregue"),
    Stage.CORRECTION: ("corrección", "correction", "correção"),
    Stage.ACCEPTED: ("aceptado", "accepted", "aceito"),
    Stage.CLOSED: ("cerrado", "closed", "fechado"),
    Stage.CANCELLED: ("cancelado", "cancelled", "cancelado"),
}
_PRIORITIES: dict[str, Words] = {
    Priority.URGENT: ("urgente", "urgent", "urgente"),
    Priority.HIGH: ("alta", "high", "alta"),
    Priority.MEDIUM: ("media", "medium", "média"),
    Priority.LOW: ("baja", "low", "baixa"),
}
ME, NOBODY = "me", "nobody"
_NOBODY: Words = ("nadie", "nobody", "ninguém")

KEYS: dict[str, Key] = {
    "state": Key(
        ("estado", "state", "estado"),
        {"open": ("abierto", "open", "aberto"), "ended": ("terminado", "ended", "encerrado")},
    ),
    "stage": Key(("etapa", "stage", "etapa"), _STAGES),
    "priority": Key(("prioridad", "priority", "prioridade"), _PRIORITIES),
    "turn": Key(
        ("turno", "turn", "vez"),
        {
            "firm": ("firma", "firm", "firma"),
            "customer": ("cliente", "customer", "cliente"),
            "third_party": ("tercero", "third", "terceiro"),
            NOBODY: _NOBODY,
        },
    ),
    "assignee": Key(
        ("asignado", "assignee", "responsável"),
        {ME: ("yo", "me", "eu"), NOBODY: _NOBODY},
        named=True,
    ),
    "customer": Key(("cliente", "customer", "cliente"), {}, named=True),
    "queue": Key(("cola", "queue", "fila"), {}, named=True),
    "type": Key(("tipo", "type", "tipo"), {}, named=True),
    "module": Key(("módulo", "module", "módulo"), {}, named=True),
    "specialty": Key(("especialidad", "specialty", "especialidade"), {}, named=True),
    "reporter": Key(("informante", "reporter", "relator"), {}, named=True),
    "level": Key(
        ("nivel", "level", "nível"), {"n1": _same("n1"), "n2": _same("n2"), "n3": _same("n3")}
    ),
    "without": Key(
        ("sin", "without", "sem"),
        {
            "reply": ("respuesta", "reply", "resposta"),
            "assignee": ("asignado", "assignee", "responsável"),
            "customer": ("cliente", "customer", "cliente"),
            "queue": ("cola", "queue", "fila"),
            "type": ("tipo", "type", "tipo"),
            "classification": ("clasificación", "classification", "classificação"),
            "term": ("plazo", "term", "prazo"),
            "movement": ("movimiento", "movement", "movimento"),
        },
    ),
    "with": Key(
        ("con", "with", "com"),
        {
            "comment": ("comentario", "comment", "comentário"),
            "question": ("pregunta", "question", "pergunta"),
            "warning": ("aviso", "warning", "aviso"),
            "late": ("vencido", "late", "vencido"),
        },
    ),
    "opened": Key(("creado", "opened", "criado"), {}, days=True),
}
"""Canonical keys. `without:reply`: nothing has reached the customer yet. `without:movement`: nobody
has done anything for days (quiet.py). `with:comment`: a comment waits to be classified (P24).
`with:warning`: a committed time runs out. `with:late`: a term has passed."""


# What a list may show beside each case's number, subject and sentence; and how it is sorted.
COLUMNS: dict[str, str] = {
    "customer": N_("Customer"),
    "stage": N_("Stage"),
    "priority": N_("Priority"),
    "turn": N_("Whose turn"),
    "term": N_("Next term"),
    "assignee": N_("Assignee"),
    "queue": N_("Queue"),
    "level": N_("Level"),
    "type": N_("Type"),
    "specialty": N_("Specialty"),
    "module": N_("Module"),
    "reporter": N_("Reporter"),
    "opened": N_("Opened"),
}
USUAL_COLUMNS = ("customer", "stage", "priority", "term", "assignee")
ORDERS: dict[str, str] = {
    "due": N_("Next term first"),
    "priority": N_("Priority"),
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
}
USUAL_ORDER = "due"


def fold(text: str) -> str:
    """As texts are compared: without accents, letter case and outer spaces."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()


def _understood(words: Mapping[str, Words]) -> dict[str, str]:
    """Every word in every language, and the code itself, to the code it means."""
    found: dict[str, str] = {}
    for code, said in words.items():
        for word in (code, *said):
            if found.setdefault(fold(word), code) != code:
                raise RuntimeError(f"filters: “{word}” means {found[fold(word)]} and {code}")
    return found


_KEY_OF = _understood({code: key.words for code, key in KEYS.items()})
_VALUE_OF = {code: _understood(key.values) for code, key in KEYS.items()}


@dataclass(frozen=True)
class Term:
    """A property that is asked for: any of these values (codes, names, ranges of days)."""

    key: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Word:
    """A word, or a phrase in quotes, of the case's text."""

    text: str
    negated: bool = False


@dataclass(frozen=True)
class Query:
    """What a list is narrowed to: all of its parts have to hold."""

    parts: tuple[Term | Word, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(part for part in self.parts if isinstance(part, Term))

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(part for part in self.parts if isinstance(part, Word))


@dataclass(frozen=True)
class Wrong:
    """What could not be read: the rule it breaks (a msgid), the word itself as typed, the key it
    was for, and the names that it could have been."""

    rule: str
    word: str
    key: str = ""
    near: tuple[str, ...] = ()

    def params(self, language: str) -> dict[str, object]:
        """What the placeholders of the rule stand for, in the reader's language."""
        allowed = ", ".join(self.near) or ", ".join(allowed_words(self.key, language))
        most = LONGEST if self.rule == TOO_LONG else MOST_PARTS
        key = key_word(self.key, language) if self.key else ""
        return {"word": self.word, "key": key, "allowed": allowed, "most": most}


@dataclass(frozen=True)
class Parsed:
    """A query, and what of the text could not be read and is not in it."""

    query: Query
    wrong: tuple[Wrong, ...] = ()


_VALUE = r'"(?:[^"\\]|\\.)*"?|[^\s",]+'
_ITEM = re.compile(
    rf"""(?P<minus>-(?=\S))?
    (?: (?P<key>[^\s:"]+):(?P<values>(?:{_VALUE})?(?:,(?:{_VALUE})?)*)
      | (?P<word>"(?:[^"\\]|\\.)*"?|[^\s"]+) )""",
    re.X | re.S,
)
_PLAIN = re.compile(r"[\w@.+*/][\w@.+*/-]*")
_DAY = r"\d{4}-\d{2}-\d{2}"
_DAYS = re.compile(rf"({_DAY})?(\.\.)?({_DAY})?")


def parse(text: str) -> Parsed:
    """Read a query as somebody wrote it."""
    wrong = [Wrong(TOO_LONG, text[LONGEST:][:40])] if len(text) > LONGEST else []
    parts: list[Term | Word] = []
    for match in _ITEM.finditer(text[:LONGEST].replace("\0", " ")):
        if len(parts) == MOST_PARTS:
            wrong.append(Wrong(TOO_MANY, match[0]))
            break
        part = _read_part(match, wrong)
        if part is not None:
            parts.append(part)
    return Parsed(Query(tuple(parts)), tuple(wrong))


def _read_part(match: re.Match[str], wrong: list[Wrong]) -> Term | Word | None:
    negated = match["minus"] is not None
    if match["key"] is None:
        text = _unquote(match["word"])
        return Word(text, negated) if text else None
    key = _KEY_OF.get(fold(match["key"]))
    if key is None:
        wrong.append(Wrong(UNKNOWN_KEY, match["key"]))
        return None
    given = [value for value in map(_unquote, re.findall(_VALUE, match["values"], re.S)) if value]
    if not given:
        wrong.append(Wrong(_rule_without_value(KEYS[key]), f"{match['key']}:", key))
        return None
    values = tuple(_read_values(key, given, wrong))
    return Term(key, values, negated) if values else None


def _rule_without_value(key: Key) -> str:
    return NOT_DAYS if key.days else NO_NAME if key.named else NO_VALUE


def _read_values(key: str, given: Iterable[str], wrong: list[Wrong]) -> Iterator[str]:
    for value in given:
        if KEYS[key].days:
            days = _read_days(value)
            if days:
                yield days
            else:
                wrong.append(Wrong(NOT_DAYS, value, key))
            continue
        code = _VALUE_OF[key].get(fold(value))
        if code is not None:
            yield code
        elif KEYS[key].named:
            yield value
        else:
            wrong.append(Wrong(UNKNOWN_VALUE, value, key))


def _unquote(text: str) -> str:
    """The text that was meant, its inner spaces made single."""
    if text.startswith('"'):
        inner = text[1:-1] if re.fullmatch(r'"(?:[^"\\]|\\.)*"', text, re.S) else text[1:]
        text = re.sub(r"\\(.)", r"\1", inner, flags=re.S)
    return " ".join(text.split())


def _read_days(text: str) -> str:
    """A day or a range of days in its one written form; "" for anything else."""
    match = _DAYS.fullmatch(text)
    if match is None or not (match[1] or match[3]) or bool(match[3]) > bool(match[2]):
        return ""
    try:
        ends = [date.fromisoformat(day) for day in (match[1], match[3]) if day]
    except ValueError:
        return ""
    if any(not FIRST_YEAR <= day.year <= LAST_YEAR for day in ends):
        return ""
    return text if ends == sorted(ends) else ""


def days_between(value: str) -> tuple[date | None, date | None]:
    """The first and the last day of a range that `parse` gave; None where an end is open."""
    first, dots, last = value.partition("..")
    start = date.fromisoformat(first) if first else None
    if not dots:
        return start, start
    return start, date.fromisoformat(last) if last else None


def write(query: Query, language: str = "") -> str:
    """The query as text, which `parse` reads back as the same: in a language, or in the canonical
    form that is kept."""
    return " ".join(_write_part(part, language) for part in query.parts)


def _write_part(part: Term | Word, language: str) -> str:
    minus = "-" if part.negated else ""
    if isinstance(part, Word):
        return minus + _quote(part.text)
    values = ",".join(_quote(value_word(part.key, value, language)) for value in part.values)
    return f"{minus}{key_word(part.key, language)}:{values}"


def _quote(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def key_word(key: str, language: str = "") -> str:
    """A key in a language ("es", "en", "pt"); in any other: the code itself."""
    return KEYS[key].words[LANGUAGES.index(language)] if language in LANGUAGES else key


def value_word(key: str, value: str, language: str = "") -> str:
    """A value in a language; names and days stay what they are."""
    words = KEYS[key].values.get(value)
    return words[LANGUAGES.index(language)] if words and language in LANGUAGES else value


def allowed_words(key: str, language: str) -> list[str]:
    """What may stand in a place: the values of a key, or with "" the keys themselves."""
    if not key:
        return [key_word(code, language) for code in KEYS]
    return [value_word(key, value, language) for value in KEYS[key].values]


def without_key(query: Query, key: str) -> Query:
    """The query without what it asks of one key."""
    kept = (part for part in query.parts if not (isinstance(part, Term) and part.key == key))
    return Query(tuple(kept))


def names_like(typed: str, names: Mapping[int, str]) -> list[int]:
    """The ids of those who are called so: the whole name, or where nobody has it, a part of it.
    With `*` at an end a part is meant from the start."""
    wanted = fold(typed)
    core = wanted.strip("*").strip()
    folded = {pk: fold(name) for pk, name in names.items()}
    if wanted == core:
        exact = [pk for pk, name in folded.items() if name == core]
        return exact or [pk for pk, name in folded.items() if core in name]
    starts, ends = not wanted.startswith("*"), not wanted.endswith("*")
    return [
        pk
        for pk, name in folded.items()
        if core in name
        and (not starts or name.startswith(core))
        and (not ends or name.endswith(core))
    ]
