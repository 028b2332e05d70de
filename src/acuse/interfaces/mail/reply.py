"""The reply cutter: what a person wrote in this mail, without the quoted mails (rules 14, 15).

Words are never lost: a cut needs certain evidence, interleaved answers stay whole, and an empty
result shows everything. All rules work on lines; tables of words live in quotes.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acuse.interfaces.mail.attribution import (
    find_attribution,
    is_quoted,
    next_words,
    quote_is_announced,
)
from acuse.interfaces.mail.blocks import (
    forwarded_rest,
    is_original_line,
    is_rule,
    read_block,
)
from acuse.interfaces.mail.markup import QUOTE_MARK, strip_marks
from acuse.interfaces.mail.quotes import (
    APP_SIGNATURE_PATTERNS,
    REPLY_ABOVE_PHRASES,
    alternation,
)

MAX_LINES = 3_000
MAX_SIGNATURE_LINES = 12
WRAPPED_AT = 60

_REPLY_ABOVE = re.compile(alternation(REPLY_ABOVE_PHRASES), re.I)
_APP_SIGNATURE = re.compile(rf"^\W{{0,3}}(?:{'|'.join(APP_SIGNATURE_PATTERNS)})\W{{0,3}}$", re.I)
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


def _find_evidence(lines: Sequence[str]) -> _Evidence | None:
    """The first place where a client says that a quoted message follows."""
    for at, line in enumerate(lines[:MAX_LINES]):
        stripped = line.strip()
        if not stripped or is_quoted(line):
            continue
        found = _announced(lines, at, stripped) or _headers(lines, at, stripped)
        found = found or _attributed(lines, at)
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
        first = next_words(lines, at + 1)
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


def _attributed(lines: Sequence[str], at: int) -> _Evidence | None:
    found = find_attribution(lines, at)
    return _Evidence("attribution", found.start, found.end, found.shared) if found else None


def _keep(lines: list[str], evidence: _Evidence | None) -> tuple[list[str], str]:
    """The lines of the reply, signature included, and the evidence used."""
    if evidence is None:
        return _without_trailing_quote(lines)
    above = lines[: evidence.start] + ([evidence.shared] if evidence.shared else [])
    has_words = any(line.strip(f" \t{QUOTE_MARK}") for line in above)
    first = next_words(lines, evidence.body)
    if (
        evidence.kind == "attribution"
        and first < len(lines)
        and is_quoted(lines[first], barred=True)
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
        if is_quoted(line, barred=True):
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
    while start and (is_quoted(lines[start - 1]) or not lines[start - 1].strip()):
        start -= 1
    quoted = sum(1 for line in lines[start:end] if is_quoted(line))
    above = [line for line in lines[:start] if line.strip()]
    if quoted < 2 or not above:
        return lines, ""
    first = next_words(lines, start)
    if above[-1].rstrip()[-1] in ":：" and not quote_is_announced(lines[first:end]):
        return lines, ""
    if any(is_quoted(line) for line in above):
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
