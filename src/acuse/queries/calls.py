"""From what a case was recorded, where somebody of the firm wrote it down for a customer (P16)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..models import Case, OpenedBy
from . import words


@dataclass(frozen=True)
class Call:
    """By whom (a name), from what (in words of the active language) and when it took place."""

    by: str
    medium: str
    at: datetime


def find_call(case: Case) -> Call | None:
    """The contact that a case was recorded from; None where it was reported in another way."""
    if case.opened_by != OpenedBy.SUPPORT:
        return None
    line = case.ledger.filter(kind="record_call").select_related("author").first()
    if line is None:
        return None
    at = datetime.fromisoformat(str(line.payload["called_at"]))
    return Call(words.author_name(line), words.label(words.MEDIA, line.payload["medium"]), at)
