"""The little header that clients print above a quoted or forwarded message, read in any language.

Shared by the reply cutter (where does the quote start) and the forward reader (who wrote it).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from acuse.interfaces.mail.quotes import (
    FORWARDED_PHRASES,
    ORIGINAL_PHRASES,
    ROLES_OF_LABEL,
    alternation,
)

MAX_BLOCK_LINES = 40
MAX_CONTINUATION = 3
MAX_LABEL_CHARS = 30

_LABEL = re.compile(r"^([^:：<>@\"]{1,30}?)\s*[:：]\s*(.*)$", re.S)
_RULE = re.compile(r"^[\s>]*[-_=*─—–]{5,}\s*$")
_DASHES = "-_=*─—–"
_BLANKS = " \t\r\n\f\v\ufeff"
_ORIGINAL = re.compile(rf"(?:{alternation(ORIGINAL_PHRASES)})[{_DASHES}:\s]*$", re.I)
_FORWARDED = re.compile(
    rf"(?:{alternation(FORWARDED_PHRASES)})[{_DASHES}:\s]+(?P<rest>.*)$", re.I | re.S
)
_FORWARDED_BARE = re.compile(
    rf"(?:{alternation(FORWARDED_PHRASES)})\s*[:：](?P<rest>.*)$", re.I | re.S
)
_FULL_MOMENT = re.compile(
    r"(?:19|20)\d\d\D.{0,30}\b\d{1,2}[:.]\d{2}\b|\d{1,2}[:.]\d{2}\b.{0,30}(?:19|20)\d\d"
)
_PREFERENCE = ("from", "date", "to", "cc", "subject", "reply_to", "other")


@dataclass
class Block:
    """A header block: the lines [start, end) it covers and the value of each role."""

    start: int
    end: int
    values: dict[str, str] = field(default_factory=dict)


def bare(line: str) -> str:
    """A line without quote marks, bold marks and outer spaces."""
    return re.sub(r"^[\s>\ufeff]+", "", line).replace("*", "").strip()


def is_rule(line: str) -> bool:
    """Whether a line is only a drawn rule."""
    return bool(_RULE.match(line))


def is_original_line(line: str) -> bool:
    """Whether a line says "original message" between dashes, in any language."""
    inner, dashes = _undashed(line[:200])
    return dashes >= 2 and bool(_ORIGINAL.match(inner))


def forwarded_rest(line: str) -> str | None:
    """What follows "forwarded message" in a line that says so (mostly ''), None in other lines."""
    inner, dashes = _undashed(line[:2000])
    found = _FORWARDED.match(inner) if dashes >= 2 else _FORWARDED_BARE.match(inner)
    return found["rest"].strip() if found and (dashes >= 2 or not dashes) else None


def _undashed(line: str) -> tuple[str, int]:
    """A line without what is drawn before its first word, and how many characters that were."""
    line = line.lstrip("> " + _BLANKS)
    inner = line.lstrip(_DASHES + _BLANKS)
    return inner, len(line) - len(inner)


def label_of(line: str) -> tuple[frozenset[str], str] | None:
    """The roles that a "Label: value" line may have and its value, or None."""
    found = _LABEL.match(line)
    if found is None:
        return None
    roles = ROLES_OF_LABEL.get(re.sub(r"\s+", " ", found[1].strip("_ ")).casefold())
    return (roles, found[2].strip()) if roles else None


def read_block(lines: Sequence[str], start: int, *, announced: bool = False) -> Block | None:
    """The header block that starts at a line, or None.

    `announced` means that the line above said "original" or "forwarded message"; then two labels
    are enough. Otherwise the block needs an author and a date or subject, three labels in all, and
    an address, a fourth label or a complete moment: "De: 9:00 / Para: 10:30" is somebody's hours.
    """
    first = label_of(bare(lines[start])) if len(lines[start]) < 1000 else None
    if first is None or not first[0] & {"from", "date", "subject", "to"}:
        return None
    block = Block(start, start)
    last_role = ""
    at = start
    while at < min(len(lines), start + MAX_BLOCK_LINES):
        line = bare(lines[at])
        labelled = label_of(line) if line else None
        role = _choose(labelled[0], block.values) if labelled else ""
        if labelled and role:
            if role != "other" or "other" not in block.values:
                block.values[role] = labelled[1]
            last_role = role
            block.end = at + 1
        elif (
            labelled
            and labelled[0] & block.values.keys()
            or not _continues(lines, at, block.values)
        ):
            break
        elif line and last_role:
            block.values[last_role] = f"{block.values[last_role]} {line}".strip()
        at += 1
    return block if _is_certain(block, announced) else None


def _choose(roles: frozenset[str], taken: dict[str, str]) -> str:
    for role in _PREFERENCE:
        if role in roles and (role not in taken or role == "other"):
            return role
    return ""


def _continues(lines: Sequence[str], at: int, taken: dict[str, str]) -> bool:
    """Whether a line without label belongs to the block: another label must follow soon."""
    blanks = 0
    for ahead in range(at, min(len(lines), at + MAX_CONTINUATION + 1)):
        line = bare(lines[ahead])
        blanks = blanks + 1 if not line else blanks
        if blanks > 1 or blanks and len(taken) >= 4:
            return False
        labelled = label_of(line) if line else None
        if labelled and _choose(labelled[0], taken) and ahead > at:
            return True
    return False


def _is_certain(block: Block, announced: bool) -> bool:
    roles = block.values.keys() - {"other", "reply_to"}
    if announced:
        return len(roles) >= 2 and bool(roles & {"from", "subject"})
    if "from" not in roles or not roles & {"date", "subject"} or len(roles) < 3:
        return False
    if any("@" in v for v in block.values.values()) or len(block.values) >= 4:
        return True
    return bool(_FULL_MOMENT.search(block.values.get("date", "")))
