"""Forwarded mails: who wrote the original, and what the forwarding person says (mail rule 18)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acuse.interfaces.mail.attribution import find_attribution
from acuse.interfaces.mail.blocks import (
    Block,
    forwarded_rest,
    is_original_line,
    is_rule,
    read_block,
)
from acuse.interfaces.mail.decode import Address, decode_header, read_addresses
from acuse.interfaces.mail.quotes import (
    FORWARD_PREFIXES,
    LABELS,
    REPLY_PREFIXES,
    alternation,
    flatten,
)

MAX_LINES = 2_000
MAX_LINE_CHARS = 20_000


def _prefixed(words: Sequence[str]) -> re.Pattern[str]:
    listed = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
    return re.compile(
        rf"^\s*(?:\[[^\]]{{1,60}}\]\s*)?(?:{listed})\s*(?:[\[(]\d+[\])])?\s*[:：]", re.I
    )


_FORWARD_SUBJECT = _prefixed(FORWARD_PREFIXES)
_REPLY_SUBJECT = _prefixed([w for w in REPLY_PREFIXES if w not in FORWARD_PREFIXES])
# Yahoo glues all labels into one line: "From: A <a@x>To: b@xCc: ...Sent: ...Subject: ...".
_GLUED_FROM = re.compile(
    rf"(?:{alternation(flatten(LABELS['from']))})"
    r"\s*[:：]\s*(?P<value>[^\n]{0,300}?<[^<>\s]+@[^<>\s]+>|[^\n]{0,80}?\S+@\S+?(?=[A-Z\s]|$))",
    re.I,
)
_GLUED_SUBJECT = re.compile(
    rf"(?:{alternation(flatten(LABELS['subject']))})"
    r"\s*[:：]\s*(?P<value>[^\n]*)",
    re.I,
)


_BRACKETED = r"[<(]+\s*(?P<email>[^\s<>()]+@[^\s<>()]+)"
_QUOTED_NAME = re.compile(rf"[\"«“„]\s*(?P<name>[^\"«»”“„]+?)\s*[\"»”“]\s*{_BRACKETED}")
_PLAIN_NAME = re.compile(rf"(?P<name>[^\d,:<>\"]{{2,60}}?)?\s*{_BRACKETED}")


@dataclass(frozen=True)
class Forward:
    """A forwarded original; texts are '' where the client did not print them."""

    sender: str
    email: str
    name: str
    subject: str
    date: str
    to: str
    before: str
    body: str
    certain: bool

    def as_dict(self) -> dict[str, object]:
        """The dictionary that parse() returns under "forwarded"."""
        return {
            "from": self.sender,
            "from_email": self.email,
            "from_name": self.name,
            "subject": self.subject,
            "date": self.date,
            "to": self.to,
            "before": self.before,
            "body": self.body,
            "certain": self.certain,
        }


def says_forward(subject: str) -> bool:
    """Whether a subject carries a client's mark of forwarding."""
    return bool(_FORWARD_SUBJECT.match(subject))


def says_reply(subject: str) -> bool:
    """Whether a subject carries a client's mark of answering."""
    return bool(_REPLY_SUBJECT.match(subject)) and not says_forward(subject)


def find_forward(text: str, subject: str, answers: bool) -> Forward | None:
    """The original that a mail forwards, or None.

    `answers` says that the mail has an In-Reply-To. Outlook prints the same block above an answer
    and above a forward, so that there the subject decides; Acuse proposes, a person confirms.
    """
    text = text.replace("\u00a0", " ").replace("\ufeff", "").replace("\r\n", "\n")
    lines = text.split("\n")
    reply, forward = says_reply(subject), says_forward(subject)
    for at, line in enumerate(lines[:MAX_LINES]):
        stripped = line[:MAX_LINE_CHARS].strip()
        if not stripped:
            continue
        rest = forwarded_rest(stripped)
        if rest is not None:
            found = _announced(lines, at, rest)
            if found is not None:
                return found
            continue
        if reply or answers and not forward:
            continue
        if is_original_line(stripped):
            start = _next_words(lines, at + 1)
            block = read_block(lines, start, announced=True) if start < len(lines) else None
            return _from_block(lines, at, block, forward) if block else None
        if ":" in stripped[:40] or "：" in stripped[:40]:
            block = read_block(lines, at)
            if block is not None:
                return _from_block(lines, at, block, forward)
        if forward:
            span = find_attribution(lines, at)
            if span is not None:
                return _from_attribution(lines, span.start, span.end)
    return None


def forward_of_attached(data: bytes, subject: str, before: str) -> Forward | None:
    """The original that a mail forwards as an attached message, if its subject says it forwards."""
    if not says_forward(subject):
        return None
    head = re.split(rb"\r?\n\r?\n", data[:60_000], maxsplit=1)[0].decode("utf-8", "surrogateescape")
    fields = {
        key.lower(): value
        for key, value in reversed(
            re.findall(r"(?m)^([!-9;-~]+):[ \t]*(.*(?:\r?\n[ \t].*)*)", head)
        )
    }
    senders = read_addresses(fields.get("from", ""))
    if not senders:
        return None
    return Forward(
        decode_header(fields["from"]),
        senders[0].email,
        senders[0].name,
        decode_header(fields.get("subject", "")),
        decode_header(fields.get("date", "")),
        decode_header(fields.get("to", "")),
        before,
        "",
        True,
    )


def _next_words(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip("> \t"):
        at += 1
    return at


def _announced(lines: Sequence[str], at: int, rest: str) -> Forward | None:
    """The original below (or, glued, behind) a line that says "forwarded message"."""
    if "@" in rest:
        return _from_glued(lines, at, rest)
    start = _next_words(lines, at + 1)
    if start >= len(lines):
        return None
    block = read_block(lines, start, announced=True)
    if block is not None:
        return _from_block(lines, at, block, True)
    if "@" in lines[start] and _GLUED_FROM.search(lines[start]):
        return _from_glued(lines, start, lines[start])
    return None


def _from_glued(lines: Sequence[str], at: int, rest: str) -> Forward | None:
    author = _GLUED_FROM.search(rest)
    if author is None:
        return None
    about = _GLUED_SUBJECT.search(rest, author.end())
    return _build(
        author["value"],
        about["value"].strip() if about else "",
        "",
        "",
        lines[:at],
        lines[at + 1 :],
        True,
    )


def _from_block(lines: Sequence[str], at: int, block: Block, certain: bool) -> Forward | None:
    values = block.values
    return _build(
        values.get("from", ""),
        values.get("subject", ""),
        values.get("date", ""),
        values.get("to", ""),
        lines[: min(at, block.start)],
        lines[block.end :],
        certain,
    )


def _from_attribution(lines: Sequence[str], start: int, end: int) -> Forward | None:
    joined = " ".join(line.strip() for line in lines[start:end])
    found = _QUOTED_NAME.search(joined) or _PLAIN_NAME.search(joined)
    if found is None:
        return None
    name = (found["name"] or "").strip()
    author = f"{name} <{found['email']}>" if name else found["email"]
    return _build(author, "", "", "", lines[:start], lines[end:], True)


def _build(
    author: str,
    subject: str,
    date: str,
    to: str,
    above: Sequence[str],
    below: Sequence[str],
    certain: bool,
) -> Forward | None:
    address = read_author(author)
    if not address.email and not address.name:
        return None
    before = list(above)
    while before and (not before[-1].strip("> \t") or is_rule(before[-1])):
        before.pop()
    return Forward(
        f"{address.name} <{address.email}>"
        if address.name and address.email
        else address.email or address.name,
        address.email,
        address.name,
        subject,
        date,
        to,
        "\n".join(before).strip(),
        "\n".join(below).strip(),
        certain,
    )


def read_author(value: str) -> Address:
    """The author of a header block: "A B <a@x>", "A B [mailto:a@x]" or "A<mailto:a@x>"."""
    value = re.sub(
        r"\s+on behalf of\s.*$|\s+en nombre de\s.*$|\s+em nome de\s.*$", "", value, flags=re.I
    )
    value = (
        re.sub(r"<\s*mailto:[^<>]*>", "", value)
        if re.search(r"<[^<>]*@[^<>]*<mailto:", value)
        else value
    )
    found = re.search(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+", re.sub(r"mailto:", "", value))
    email = found[0].strip(".") if found else ""
    name = re.split(r"[<\[(]", value, maxsplit=1)[0].strip().strip("\"'«»„“”").strip()
    return Address("" if name == email or "@" in name else name, email)
