"""What came back: whether a mail reports that one of ours did not arrive, and how badly.

A report may be in any form; one that came to an address made for one notice (VERP) needs no more
than a status code (RFC 3463, RFC 5321) to be understood.
"""

from __future__ import annotations

import re
from typing import Any

# 5.1.1, but not a part of 10.5.1.1; or 550 at the start of a line or behind a colon.
_STATUS = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
_REPLY = re.compile(r"(?m)(?:^|[:;]\s*|said:\s*)([45])[0-5]\d[ -]")
_SEVERITY = {"2": "delivered", "4": "delayed", "5": "failed"}
MOST_CHARS = 20_000


def judge_return(parsed: dict[str, Any], envelope_from: str, *, verp: bool) -> str:
    """What a mail reports: "failed" (for good, or given up), "delayed", "delivered", or
    "unreadable"; "" where it reports nothing. `verp`: it came to an address of one notice."""
    if parsed["bounce"]:
        return str(parsed["bounce_action"]) or "unreadable"
    machine = _is_null(parsed, envelope_from) or parsed["auto_submitted"]
    if not verp or not machine or parsed["out_of_office"]:
        return ""
    told = f"{parsed['subject']}\n{parsed['text']}"[:MOST_CHARS]
    found = _STATUS.search(told) or _REPLY.search(told)
    if found is not None:
        return _SEVERITY[found[1]]
    return "" if parsed["auto_submitted"] else "unreadable"


def _is_null(parsed: dict[str, Any], envelope_from: str) -> bool:
    """Whether it came from the null sender, as far as anything says from whom it came."""
    paths = parsed["headers"].get("return-path", ["<>"])
    return not envelope_from and paths[0].strip() in ("<>", "")
