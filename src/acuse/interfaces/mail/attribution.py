"""Attributions: the lines with which clients announce a quote ("On ..., X wrote:"), any language.

A line counts only on evidence: the shape of a client's sentence, with a moment, a name or address
and a verb, or quoted lines right below. People write such sentences too ("El lunes me escribió:").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acuse.interfaces.mail.markup import ATTRIBUTION_MARK, QUOTE_MARK
from acuse.interfaces.mail.quotes import (
    PREFIXES,
    STARTER_WORDS,
    VERB_WORDS,
    WEEKDAY_WORDS,
    alternation,
)

MAX_ATTRIBUTION_LINES = 5
MAX_ATTRIBUTION_CHARS = 400
MAX_LINE_CHARS = 20_000
SHORTEST_WRAPPED = 30

NONE, WEAK, STRONG = 0, 1, 2

_SCRIPTS_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SPACED_VERBS = [v for v in VERB_WORDS if not _SCRIPTS_WITHOUT_SPACES.search(v)]
_JOINED_VERBS = [v for v in VERB_WORDS if _SCRIPTS_WITHOUT_SPACES.search(v)]
_VERB = re.compile(
    rf"(?:(?<!\w)(?:{alternation(_SPACED_VERBS)})(?!\w)|{alternation(_JOINED_VERBS)})", re.I
)
_EMAIL = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")
_TIME = r"\d{1,2}\s?[:.hH]\s?\d{2}(?!\d)"
_DAY = (
    r"(?:\d{1,4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,4}|(?<!\d)(?:19|20)\d\d(?!\d)"
    r"|\d{1,2}[-.\s](?:de\s)?[^\W\d]{3,10}[-.\s])"
)
_DATE = re.compile(rf"{_TIME}|{_DAY}")
_DAY_RE, _TIME_RE = re.compile(_DAY), re.compile(_TIME)
_STARTS_WITH_STARTER = re.compile(
    rf"^(?:{alternation(STARTER_WORDS)})(?![^\W\d_])[\s,:-]{{0,3}}[^\d\n:<>@]{{0,30}}\d", re.I
)
_STARTS_WITH_DATE = re.compile(
    rf"^(?:(?:{alternation(WEEKDAY_WORDS)})(?!\w)\.?,?\s[^\n:<>@]{{0,20}}?\d|\d)", re.I
)
_STARTS_WITH_TIME = re.compile(rf"^{_TIME}")
_INNER_STARTER = re.compile(
    r"(?<=\s)(?:On|El|Em|No dia|Le|Am|Il giorno|Op)\s(?=[^\d\n:<>@]{0,25}\d)"
)
# Words in lower case that clients print between the moment and the verb.
_NAME_PARTICLES = frozenset(
    [
        "mailto",
        "behalf",
        "from",
        "user",
        "usuario",
        "utilisateur",
        "użytkownik",
        "użytkownika",
        "пользователь",
        "користувач",
        "felhasználó",
        "heeft",
        "hora",
        "horas",
        "hour",
        "gmt",
        "utc",
        "cest",
        "mailing",
        "list",
        "support",
        "info",
        "http",
        "https",
        "volgende",
        "følgende",
        "följande",
        "nombre",
        "nome",
        "noreply",
        "soporte",
        "suporte",
        "uhr",
    ]
)
_DATE_NAME_EMAIL = re.compile(r"^[^<>@]{8,200}<?\s*[^\s<>]+@[^\s<>]+\s*(?:<[^<>]*>)?\s*>?\s*[:：]$")
_DATE_NAME_EMAIL_OPEN = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\s.{1,120}<[^<>\s]+@[^<>\s]+>$")
_DASHED_WROTE = re.compile(
    rf"^-{{2,}}\s*(?P<inner>\S.{{0,200}}?)\s*(?:{alternation(VERB_WORDS)})\s*:?\s*-{{2,}}$", re.I
)
_NAMED_ONLY = re.compile(
    r"^(?:[^\W\d_a-zà-öø-ÿ][\w.'’-]*[ ,]+){0,4}[^\W\d_a-zà-öø-ÿ][\w.'’-]*"
    r"\s*(?:<[^<>]*@[^<>]*>)?\s*$"
)
_QUOTING = re.compile(
    r"^(?:quoting|citando(?:\sa)?|mensaje\s(?:citado\spor|de)|zitat\svon|citat\sfrån|citazione\sda|mensagem\sde|en\sréponse\sà)"
    r"\s.{1,100}[:：]$",
    re.I,
)
_CREDITED = re.compile(
    r"^(?:[^\W\d_a-zà-öø-ÿ][\w.'’-]*[ ,]+){1,5}<[^<>\s]+@[^<>\s]+>"
    rf"\s*,?\s*(?i:{alternation(VERB_WORDS)})\s*[:：]$"
)
_COLONS = (":", "：")
_QUOTED = re.compile(r"^[ \t\ufeff]{0,4}>")
_BARRED = re.compile(r"^(?:\|(?:\s|$)|[A-Za-z]{1,12}>\s)")
# "... <a@x.example" / "> wrote:": the end of an attribution, torn before its bracket.
_TORN_END = re.compile(rf"^>\s*(?:{alternation(VERB_WORDS)})?\s*[:：]\s*$", re.I)


@dataclass(frozen=True)
class Attribution:
    """Lines [start, end) announce a quote; `shared` are words of the reply glued before it."""

    start: int
    end: int
    shared: str = ""


def is_quoted(line: str, barred: bool = False) -> bool:
    """Whether a line carries a quote mark; `barred` also takes "|" and "Name>" for one."""
    if _QUOTED.match(line):
        return not _TORN_END.match(line)
    return barred and bool(_BARRED.match(line))


def next_words(lines: Sequence[str], at: int) -> int:
    """Index of the first line with words from `at` on (marks alone are no words)."""
    while at < len(lines) and not lines[at].strip(f" \t{QUOTE_MARK}{ATTRIBUTION_MARK}"):
        at += 1
    return at


def find_attribution(lines: Sequence[str], at: int) -> Attribution | None:
    """The attribution whose last line is `at`, or None."""
    stripped = lines[at].strip()
    if len(stripped) > MAX_LINE_CHARS:
        return None
    if stripped.endswith("--"):
        return _dashed(lines, at)
    if ATTRIBUTION_MARK in stripped:
        return Attribution(at, at + 1)
    if not stripped or stripped[-1] not in ":：>":
        return None
    following = next_words(lines, at + 1)
    quoted = following < len(lines) and (
        is_quoted(lines[following], barred=True) or QUOTE_MARK in "".join(lines[at + 1 : following])
    )
    best = _wrapped(lines, at, WEAK if quoted else STRONG)
    if best is None and not quoted and _is_credited(lines, at):
        return Attribution(at, at + 1)
    shared = _shared_line(at, stripped) if quoted else None
    if shared and (best is None or best.start == at and not _is_dated(stripped)):
        return shared
    return best


def quote_is_announced(quote: Sequence[str]) -> bool:
    """Whether the first quoted lines are themselves the announcement, as phones print it."""
    bare = [line.lstrip("> \t\ufeff").rstrip() for line in quote[: MAX_ATTRIBUTION_LINES + 1]]
    return any(_wrapped(bare, at, STRONG) for at in range(len(bare)) if bare[at].endswith(_COLONS))


def _is_credited(lines: Sequence[str], at: int) -> bool:
    """Whether a line is only "Name <address> wrote:", as webmails print without a moment.

    Somebody who pastes a foreign mail announces it; without a line that ends in a colon above it,
    the mail below is the quoted one.
    """
    if not _CREDITED.match(lines[at].strip()):
        return False
    above = next((line.rstrip() for line in reversed(lines[:at]) if line.strip()), "")
    return bool(above) and not above.endswith(_COLONS)


def _wrapped(lines: Sequence[str], at: int, enough: int) -> Attribution | None:
    """The attribution that ends in line `at` and perhaps began up to four lines above."""
    best: Attribution | None = None
    joined = ""
    for start in range(at, max(-1, at - MAX_ATTRIBUTION_LINES), -1):
        line = lines[start].strip()
        if start < at and not _may_precede(line, joined):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > MAX_ATTRIBUTION_CHARS:
            break
        certainty = _certainty(joined)
        # A line above may only add the moment that is missing, never just more words.
        adds = best is None or certainty == STRONG or _is_dated(joined)
        if certainty >= enough and adds:
            best = Attribution(start, at + 1)
            # Without a moment it may be the torn end of one ("... 9:05, A B" / "<a@x> wrote:").
            balanced = joined.count("<") >= joined.count(">")
            whole = _is_dated(joined) or certainty == STRONG and balanced
            if whole and not _STARTS_WITH_TIME.match(joined):
                break
    return best


def _may_precede(line: str, joined: str) -> bool:
    """Whether a line may be the earlier piece of a wrapped attribution.

    Clients wrap long lines; a short one above is the end of the reply, unless it starts as an
    attribution does or holds the opening of an address.
    """
    if not line:
        return joined.startswith("<")
    if is_quoted(line):
        return joined.startswith(">")
    return len(line) >= SHORTEST_WRAPPED or bool(re.search(r"[<(@]", line)) or _is_dated(line)


def _dashed(lines: Sequence[str], at: int) -> Attribution | None:
    """An attribution between dashes ("---- On ..., X wrote ----"), perhaps wrapped once."""
    joined = ""
    for start in range(at, max(-1, at - 2), -1):
        joined = f"{lines[start].strip()} {joined}".strip()
        if len(joined) > MAX_ATTRIBUTION_CHARS:
            break
        if not joined.startswith("--") or not _VERB.search(joined):
            continue
        dashed = _DASHED_WROTE.match(joined)
        if dashed and (_DATE.search(dashed["inner"]) or _NAMED_ONLY.match(dashed["inner"])):
            return Attribution(start, at + 1)
    return None


def _shared_line(at: int, stripped: str) -> Attribution | None:
    """An attribution that a client glued to the last words of the reply."""
    starters = _INNER_STARTER.finditer(stripped, max(0, len(stripped) - MAX_ATTRIBUTION_CHARS))
    for inner in reversed(list(starters)):
        if inner.start() and _certainty(stripped[inner.start() :]) == STRONG:
            return Attribution(at, at + 1, stripped[: inner.start()].rstrip())
    return None


def _is_dated(text: str) -> bool:
    """Whether a text starts as an attribution does: with a date, or a word and a date."""
    return bool(
        _STARTS_WITH_STARTER.match(text)
        or _STARTS_WITH_DATE.match(text)
        or text.casefold().startswith(PREFIXES)
    )


def _certainty(text: str) -> int:
    """How surely a text (one to five joined lines) is an attribution.

    STRONG alone is enough to cut; WEAK needs quoted lines right below.
    """
    if text[-1] == ">":
        return WEAK if _DATE_NAME_EMAIL_OPEN.match(text) else NONE
    if text[-1] not in ":：" or "@" not in text and not _VERB.search(text):
        return NONE
    email, date, dated = _EMAIL.search(text), _DATE.search(text), _is_dated(text)
    if text.casefold().startswith(PREFIXES):
        return STRONG if date and email else WEAK
    verbs = list(_VERB.finditer(text))
    if not verbs:
        if (
            dated
            and date
            and email
            and _DATE_NAME_EMAIL.match(text)
            and _is_terse(text[: email.start()])
        ):
            return STRONG
        return WEAK if _QUOTING.match(text) else NONE
    before, after = text[: verbs[-1].start()].strip(), text[verbs[-1].end() :].strip(" :：")
    if len(after) >= 80:
        return NONE
    if date and dated and _is_terse(before):
        return STRONG if email or _names_somebody(before) else WEAK
    if date and email and email.end() <= verbs[0].start() and _is_terse(before):
        return STRONG
    if _NAMED_ONLY.match(before) and (not after or _is_moment(after)):
        return WEAK
    return WEAK if not after and email and _is_terse(before) else NONE


def _is_moment(after: str) -> bool:
    """Whether a text is a date with the few small words that clients print around one."""
    return bool(_DATE.search(after)) and not re.search(r"[^\W\d]{6,}", after)


def _is_terse(before: str) -> bool:
    """Whether what stands before the verb is a moment and a name, not somebody's narrative.

    Names start with a capital or are few; a sentence has several longer words in lower case after
    its date.
    """
    moments = list(_DATE.finditer(before))
    gap = _VERB.sub(" ", _EMAIL.sub(" ", before[moments[-1].end() :] if moments else before))
    low = [w for w in re.findall(r"[^\W\d_]+", gap) if w[0].islower() and len(w) > 3]
    return sum(1 for w in low if w not in _NAME_PARTICLES) <= 2


def _names_somebody(before: str) -> bool:
    """Whether a complete moment and, after a comma, a proper name stand before the verb."""
    moment, comma, name = before.rpartition(",")
    complete = _DAY_RE.search(moment) and _TIME_RE.search(moment)
    words = name.strip(" \"'«»„”").split()
    return bool(comma and complete and 2 <= len(words) <= 5 and all(w[0].isupper() for w in words))
