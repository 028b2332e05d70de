"""The reply cutter: what a person wrote in this mail, without the quoted mails (rules 14, 15).

Words are never lost: a cut needs certain evidence, interleaved answers stay whole, and an empty
result shows everything. All rules work on lines; tables of words live in quotes.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acuse.interfaces.mail.blocks import (
    forwarded_rest,
    is_original_line,
    is_rule,
    read_block,
)
from acuse.interfaces.mail.markup import ATTRIBUTION_MARK, QUOTE_MARK, strip_marks
from acuse.interfaces.mail.quotes import (
    APP_SIGNATURE_PATTERNS,
    PREFIXES,
    REPLY_ABOVE_PHRASES,
    STARTER_WORDS,
    VERB_WORDS,
    WEEKDAY_WORDS,
    alternation,
)

MAX_LINES = 20_000
MAX_ATTRIBUTION_LINES = 5
MAX_ATTRIBUTION_CHARS = 400
MAX_SIGNATURE_LINES = 12
WRAPPED_AT = 60
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
        "wrote",
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
    r"^(?:[^\W\d_a-zà-öø-ÿ][\w.'’-]*[ ,]+){0,4}[^\W\d_a-zà-öø-ÿ][\w.'’-]*\s*(?:<[^<>]*@[^<>]*>)?\s*$"
)
_QUOTING = re.compile(
    r"^(?:quoting|citando(?:\sa)?|zitat\svon|citat\sfrån|citazione\sda|mensagem\sde|en\sréponse\sà)"
    r"\s.{1,100}[:：]$",
    re.I,
)
_REPLY_ABOVE = re.compile(alternation(REPLY_ABOVE_PHRASES), re.I)
_APP_SIGNATURE = re.compile(rf"^\W{{0,3}}(?:{'|'.join(APP_SIGNATURE_PATTERNS)})\W{{0,3}}$", re.I)
_QUOTED = re.compile(r"^[ \t\ufeff]{0,4}>")
_BARRED = re.compile(r"^(?:\|(?:\s|$)|[A-Za-z]{1,12}>\s)")
# "... <a@x.example" / "> wrote:": the end of an attribution, torn before its bracket.
_TORN_END = re.compile(rf"^>\s*(?:{alternation(VERB_WORDS)})?\s*[:：]\s*$", re.I)
_FOOTER_RULE = re.compile(r"^[_=-]{2,}\s*$")
_BROKEN_LINK = re.compile(r"^\s*[\(<]?https?://\S+\s*[>)]*\s*>?$|^\s*\(https?://[^)]*\)\s*>?\s*$")


@dataclass(frozen=True)
class Cut:
    """The outcome: the reply, whether anything was left out, and by which evidence."""

    text: str
    cut: bool
    evidence: str = ""


@dataclass(frozen=True)
class _Evidence:
    """Where a quote announces itself: lines [start, body) announce, the quote starts at body."""

    kind: str
    start: int
    body: int
    # Words of the reply that stand in the announcing line, before the announcement.
    shared: str = ""


def cut_reply(text: str) -> Cut:
    """The part of a mail's text that its sender wrote for this mail.

    `text` may carry the marks of html_to_marked_text; the result never does.
    """
    lines = _to_lines(text)
    everything = strip_marks("\n".join(lines)).strip("\n").rstrip()
    evidence = _find_evidence(lines)
    kept, why = _keep(lines, evidence)
    kept = _without_signature(kept)
    reply = strip_marks("\n".join(kept)).strip("\n").rstrip()
    if not reply.strip():
        return Cut(everything, False)
    return Cut(reply, reply != everything, why)


def _to_lines(text: str) -> list[str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    text = re.sub("[\u200b\u200e\u200f\u202a-\u202e\ufeff]", "", text)
    return text.split("\n")


def _is_quoted(line: str, barred: bool = False) -> bool:
    """Whether a line carries a quote mark; `barred` also takes "|" and "Name>" for one."""
    if _QUOTED.match(line):
        return not _TORN_END.match(line)
    return barred and bool(_BARRED.match(line))


def _next_words(lines: Sequence[str], at: int) -> int:
    """Index of the first line with words from `at` on (marks alone are no words)."""
    while at < len(lines) and not lines[at].strip(f" \t{QUOTE_MARK}{ATTRIBUTION_MARK}"):
        at += 1
    return at


def _find_evidence(lines: Sequence[str]) -> _Evidence | None:
    """The first place where a client says that a quoted message follows."""
    for at, line in enumerate(lines[:MAX_LINES]):
        stripped = line.strip()
        if not stripped or _is_quoted(line):
            continue
        found = _announced(lines, at, stripped) or _headers(lines, at, stripped)
        found = found or _attribution(lines, at, stripped)
        if found:
            return found
    return None


def _announced(lines: Sequence[str], at: int, stripped: str) -> _Evidence | None:
    if stripped == QUOTE_MARK:
        return _Evidence("mark", at, at + 1)
    if len(stripped) > 2000:
        return None
    if len(stripped) < 200 and _REPLY_ABOVE.search(stripped):
        return _Evidence("reply_above", at, at + 1)
    if is_original_line(stripped):
        return _Evidence("original", at, at + 1)
    if forwarded_rest(stripped) is not None:
        first = _next_words(lines, at + 1)
        block = read_block(lines, first, announced=True) if first < len(lines) else None
        return _Evidence("forward", at, block.end if block else at + 1)
    return None


def _headers(lines: Sequence[str], at: int, stripped: str) -> _Evidence | None:
    if ":" not in stripped[:40] and "：" not in stripped[:40]:
        return None
    above = at - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    ruled = above >= 0 and is_rule(lines[above])
    block = read_block(lines, at)
    if block is None:
        return None
    return _Evidence("headers", above if ruled else at, block.end)


def _attribution(lines: Sequence[str], at: int, stripped: str) -> _Evidence | None:
    """An attribution ("On ..., X wrote:") whose last line is `at`."""
    if stripped.endswith("--"):
        return _dashed(lines, at)
    if stripped[-1] not in ":：>" and ATTRIBUTION_MARK not in stripped:
        return None
    following = _next_words(lines, at + 1)
    quoted = following < len(lines) and (
        _is_quoted(lines[following], barred=True)
        or QUOTE_MARK in "".join(lines[at + 1 : following])
    )
    if ATTRIBUTION_MARK in stripped:
        return _Evidence("attribution", at, at + 1)
    best: _Evidence | None = None
    joined = ""
    for start in range(at, max(-1, at - MAX_ATTRIBUTION_LINES), -1):
        line = lines[start].strip()
        if (
            not line
            and not joined.startswith("<")
            or _is_quoted(line)
            and start < at
            and not joined.startswith(">")
        ):
            break
        if (
            start < at
            and len(line) < SHORTEST_WRAPPED
            and line
            and not (re.search(r"[<(@]", line) or _is_dated(line))
        ):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > MAX_ATTRIBUTION_CHARS:
            break
        certainty = _certainty(joined)
        if certainty >= (WEAK if quoted else STRONG):
            best = _Evidence("attribution", start, at + 1)
            # Without a moment it may be the torn end of one ("... 9:05, A B" / "<a@x> wrote:").
            whole = (
                _is_dated(joined) or certainty == STRONG and joined.count("<") >= joined.count(">")
            )
            if whole and not _STARTS_WITH_TIME.match(joined):
                break
    shared = _shared_line(lines, at, stripped) if quoted else None
    if shared and (best is None or best.start == at and not _is_dated(stripped)):
        return shared
    return best


def _dashed(lines: Sequence[str], at: int) -> _Evidence | None:
    """An attribution between dashes ("---- On ..., X wrote ----"), perhaps wrapped once."""
    joined = ""
    for start in range(at, max(-1, at - 2), -1):
        joined = f"{lines[start].strip()} {joined}".strip()
        dashed = _DASHED_WROTE.match(joined)
        if dashed and (_DATE.search(dashed["inner"]) or _NAMED_ONLY.match(dashed["inner"])):
            return _Evidence("attribution", start, at + 1)
    return None


def is_attribution_at(lines: Sequence[str], at: int) -> tuple[int, int] | None:
    """The line span of an attribution that ends in line `at`, or None."""
    stripped = lines[at].strip()
    found = _attribution(lines, at, stripped) if stripped else None
    return (found.start, found.body) if found else None


def _shared_line(lines: Sequence[str], at: int, stripped: str) -> _Evidence | None:
    """An attribution that a client glued to the last words of the reply."""
    for inner in reversed(list(_INNER_STARTER.finditer(stripped))):
        if inner.start() and _certainty(stripped[inner.start() :]) == STRONG:
            return _Evidence("attribution", at, at + 1, stripped[: inner.start()].rstrip())
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
    if text.casefold().startswith(PREFIXES):
        return STRONG if date and email else WEAK
    if len(after) >= 80:
        return NONE
    if date and dated and _is_terse(before):
        return STRONG if email or _names_somebody(before) else WEAK
    if date and email and email.end() <= verbs[0].start() and _is_terse(before):
        return STRONG
    return (
        WEAK if not after and (email and _is_terse(before) or _NAMED_ONLY.match(before)) else NONE
    )


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


def _keep(lines: list[str], evidence: _Evidence | None) -> tuple[list[str], str]:
    """The lines of the reply, signature included, and the evidence used."""
    if evidence is None:
        return _without_trailing_quote(lines)
    above = lines[: evidence.start] + ([evidence.shared] if evidence.shared else [])
    has_words = any(line.strip(f" \t{QUOTE_MARK}") for line in above)
    first = _next_words(lines, evidence.body)
    if (
        evidence.kind == "attribution"
        and first < len(lines)
        and _is_quoted(lines[first], barred=True)
    ):
        answers, runs = _below_quote(lines, first)
        if answers:
            if has_words or runs > 1:
                return lines, ""
            return answers, "quote_above"
    if has_words:
        return _without_rules_below(above), evidence.kind
    if evidence.kind == "forward":
        return lines[evidence.body :], "forward"
    return lines, ""


def _below_quote(lines: Sequence[str], first: int) -> tuple[list[str], int]:
    """Lines that the sender wrote below the start of a quote, and in how many quoted runs.

    A client's footer and the lines that wrapping tore out of the quote are not the sender's.
    """
    answers: list[str] = []
    runs, in_run = 0, False
    for at in range(first, len(lines)):
        line = lines[at]
        if _is_quoted(line, barred=True):
            runs += not in_run
            in_run = True
            if answers and runs > 1:
                return answers, runs
        elif not line.strip():
            answers += [line] if answers else []
        elif in_run and not answers and _is_torn(lines, at, first):
            continue
        elif _is_signature_mark(line) or not answers and _is_footer(lines, at):
            break
        elif not answers and _APP_SIGNATURE.match(line.strip()):
            continue
        else:
            in_run = False
            answers.append(line)
    return answers, runs


def _is_footer(lines: Sequence[str], at: int) -> bool:
    """Whether a rule below the quote opens a list's or a scanner's few closing lines."""
    if not _FOOTER_RULE.match(lines[at]):
        return False
    rest = [line for line in lines[at + 1 :] if line.strip()]
    links = sum(1 for line in rest if re.search(r"https?://|@|mailing list|www\.", line))
    return len(rest) <= MAX_SIGNATURE_LINES and (not rest or links > 0)


def _is_torn(lines: Sequence[str], at: int, first: int) -> bool:
    """Whether an unquoted line is the tail of the quoted line above, torn off by wrapping."""
    line = lines[at]
    if _BROKEN_LINK.match(line):
        return True
    above = lines[at - 1]
    if not above.strip() or at <= first:
        return False
    if re.search(r"[(<]https?://[^\s)>]*$", above.rstrip()):
        return True
    below = lines[at + 1].strip() if at + 1 < len(lines) else ""
    if below and not below.startswith(">"):
        return False
    starts_low = line.lstrip()[0].islower() or line.lstrip()[0] in "(<,.;"
    return len(above) >= WRAPPED_AT and starts_low


def _without_trailing_quote(lines: list[str]) -> tuple[list[str], str]:
    """Without a quote that ends the mail unannounced; a quote that the sender introduces stays."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and (_is_quoted(lines[start - 1]) or not lines[start - 1].strip()):
        start -= 1
    quoted = sum(1 for line in lines[start:end] if _is_quoted(line))
    above = [line for line in lines[:start] if line.strip()]
    if quoted < 2 or not above or above[-1].rstrip()[-1] in ":：":
        return lines, ""
    if any(_is_quoted(line) for line in above):
        return lines, ""
    return lines[:start], "trailing_quote"


def _without_rules_below(lines: list[str]) -> list[str]:
    """Without blank lines and drawn rules at the end: they belonged to the quote."""
    end = len(lines)
    while end and (not lines[end - 1].strip(f" \t{QUOTE_MARK}") or is_rule(lines[end - 1])):
        end -= 1
    return lines[:end]


def _is_signature_mark(line: str) -> bool:
    return line in ("-- ", "--\t") or line.rstrip() in ("--", "—")


def _without_signature(lines: list[str]) -> list[str]:
    """Without what a device or a signature file adds at the end; never without everything."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    shorter = _without_app_signature(lines[:end])
    for at in range(max(1, len(shorter) - MAX_SIGNATURE_LINES - 1), len(shorter)):
        if _is_signature_mark(shorter[at]) and _looks_like_signature(shorter, at):
            shorter = _without_app_signature(shorter[:at])
            break
    return shorter if any(line.strip() for line in shorter) else lines


def _without_app_signature(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if end and len(lines[end - 1]) < 200 and _APP_SIGNATURE.match(lines[end - 1].strip()):
        return _without_rules_below(lines[: end - 1])
    return lines[:end]


def _looks_like_signature(lines: Sequence[str], mark: int) -> bool:
    """Whether the lines below a "--" are a signature.

    "-- " with its space is the standard's own mark (RFC 3676, 4.3). Without the space a person may
    have drawn a line and written on, so that the lines must look like a card, not like sentences.
    """
    below = [line.strip() for line in lines[mark + 1 :] if line.strip()]
    if lines[mark].startswith("-- "):
        return True
    if not below or any(len(line) > 80 for line in below):
        return not below
    contact = any(re.search(r"@|www\.|https?://|\+?\d[\d .()-]{6,}", line) for line in below)
    sentences = sum(1 for line in below if line[-1] in ".?!:" and " " in line)
    return contact and sentences <= 1 or len(below) <= 4 and sentences == 0
